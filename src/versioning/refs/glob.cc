#include "versioning/refs/glob.h"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tarn::versioning {
namespace {

struct Node;
using Sequence = std::vector<Node>;

struct Node {
  enum class Kind { character, any, run, set, choice };
  Kind kind = Kind::character;
  char character = 0;
  bool negated = false;                                         // set
  std::vector<std::pair<unsigned char, unsigned char>> ranges;  // set
  std::vector<Sequence> choices;                                // choice
};

/// Recursive descent; depth is bounded so that a hostile pattern cannot use up the stack.
class Parser {
 public:
  explicit Parser(std::string_view pattern) : rest_(pattern) {}

  std::optional<Sequence> parse() {
    Sequence sequence;
    if (!parse_sequence(sequence, 0) || !rest_.empty()) return std::nullopt;
    return sequence;
  }

 private:
  static constexpr int kDepthMax = 8;

  char take() {
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }

  /// Up to the end, or inside braces to the `,` or `}` that ends it, which stays.
  bool parse_sequence(Sequence& out, int depth) {
    while (!rest_.empty()) {
      if (depth > 0 && (rest_.front() == ',' || rest_.front() == '}')) return true;
      const char c = take();
      Node node;
      if (c == '*') {
        node.kind = Node::Kind::run;
      } else if (c == '?') {
        node.kind = Node::Kind::any;
      } else if (c == '[') {
        node.kind = Node::Kind::set;
        if (!parse_set(node)) return false;
      } else if (c == '{') {
        node.kind = Node::Kind::choice;
        if (!parse_choice(node, depth + 1)) return false;
      } else if (c == '\\') {
        if (rest_.empty()) return false;
        node.character = take();
      } else {
        node.character = c;
      }
      out.push_back(std::move(node));
    }
    return depth == 0;
  }

  bool parse_choice(Node& node, int depth) {
    if (depth > kDepthMax) return false;
    while (true) {
      if (!parse_sequence(node.choices.emplace_back(), depth)) return false;
      if (take() == '}') return true;
    }
  }

  bool parse_set(Node& node) {
    if (!rest_.empty() && rest_.front() == '!') {
      node.negated = true;
      take();
    }
    while (!rest_.empty() && rest_.front() != ']') {
      char low = take();
      if (low == '\\') {
        if (rest_.empty()) return false;
        low = take();
      }
      char high = low;
      if (rest_.size() >= 2 && rest_[0] == '-' && rest_[1] != ']') {
        take();
        high = take();
      }
      node.ranges.emplace_back(low, high);
    }
    if (rest_.empty() || node.ranges.empty()) return false;
    take();
    return true;
  }

  std::string_view rest_;
};

bool in_set(const Node& node, char c) {
  const auto byte = static_cast<unsigned char>(c);
  for (const auto& [low, high] : node.ranges) {
    if (byte >= low && byte <= high) return !node.negated;
  }
  return node.negated;
}

/// places[i]: what was read so far can end before text[i]. Following all places at once instead of
/// backtracking keeps the time bounded.
using Places = std::vector<bool>;

Places follow(const Sequence& sequence, std::string_view text, Places places);

Places step(const Node& node, std::string_view text, const Places& places) {
  Places next(places.size(), false);
  if (node.kind == Node::Kind::run) {
    bool reached = false;
    for (std::size_t i = 0; i < places.size(); ++i)
      next[i] = reached = reached || places[i];
    return next;
  }
  if (node.kind == Node::Kind::choice) {
    for (const Sequence& choice : node.choices) {
      const Places ends = follow(choice, text, places);
      for (std::size_t i = 0; i < ends.size(); ++i)
        next[i] = next[i] || ends[i];
    }
    return next;
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!places[i]) continue;
    next[i + 1] =
        node.kind == Node::Kind::any ||
        (node.kind == Node::Kind::set ? in_set(node, text[i]) : node.character == text[i]);
  }
  return next;
}

Places follow(const Sequence& sequence, std::string_view text, Places places) {
  for (const Node& node : sequence)
    places = step(node, text, places);
  return places;
}

}  // namespace

bool glob_matches(std::string_view pattern, std::string_view text) {
  const auto sequence = Parser(pattern).parse();
  if (!sequence) return false;
  Places start(text.size() + 1, false);
  start.front() = true;
  return follow(*sequence, text, std::move(start)).back();
}

}  // namespace tarn::versioning
