#include "http/router.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "base/error.h"

namespace tarn::http {

namespace {

/// A path's segments, decoded. Segments without an escape are views of the path.
class Segments {
 public:
  /// False when the path has too many, or a broken escape, or does not start with '/'.
  bool split(std::string_view raw_path) {
    if (!raw_path.starts_with('/')) return false;
    while (!raw_path.empty()) {
      raw_path.remove_prefix(1);
      const std::string_view raw = raw_path.substr(0, raw_path.find('/'));
      raw_path.remove_prefix(raw.size());
      if (count_ == Router::kSegmentsMax || !push(raw)) return false;
    }
    return true;
  }

  std::span<const std::string_view> all() const { return {texts_.data(), count_}; }

 private:
  bool push(std::string_view raw) {
    std::string_view text = raw;
    if (raw.find('%') != std::string_view::npos) {
      auto decoded = percent_decode(raw);
      if (!decoded) return false;
      // Never reallocated, so the views stay valid, short strings included.
      if (decoded_.capacity() == 0) decoded_.reserve(Router::kSegmentsMax);
      text = decoded_.emplace_back(*std::move(decoded));
    }
    texts_[count_++] = text;
    return true;
  }

  std::array<std::string_view, Router::kSegmentsMax> texts_;
  std::size_t count_ = 0;
  std::vector<std::string> decoded_;
};

bool is_parameter(std::string_view segment) {
  return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

}  // namespace

const std::string& RouteMatch::param(std::string_view name) const {
  const auto found = std::ranges::find(params, name, &PathParam::name);
  TARN_ASSERT(found != params.end());
  return found->value;
}

Router::Router() : nodes_(1) {}

std::size_t Router::child(std::size_t node, std::string_view segment) {
  if (is_parameter(segment)) {
    if (nodes_[node].parameter == 0) {
      nodes_[node].parameter = nodes_.size();
      nodes_.emplace_back();
    }
    return nodes_[node].parameter;
  }
  for (const Node::Literal& literal : nodes_[node].literals) {
    if (literal.text == segment) return literal.node;
  }
  const std::size_t fresh = nodes_.size();
  nodes_[node].literals.push_back({.text = std::string(segment), .node = fresh});
  nodes_.emplace_back();
  return fresh;
}

std::size_t Router::add(std::string_view method, std::string_view path_template) {
  TARN_ASSERT(path_template.starts_with('/'));
  std::size_t node = 0;
  std::size_t depth = 0;
  std::vector<std::string> names;
  while (!path_template.empty()) {
    path_template.remove_prefix(1);
    const std::string_view segment = path_template.substr(0, path_template.find('/'));
    path_template.remove_prefix(segment.size());
    TARN_ASSERT(++depth <= kSegmentsMax);
    node = child(node, segment);
    if (is_parameter(segment)) names.emplace_back(segment.substr(1, segment.size() - 2));
  }
  TARN_ASSERT(std::ranges::find(nodes_[node].targets, method, &Node::Target::method) ==
              nodes_[node].targets.end());
  nodes_[node].targets.push_back({.method = std::string(method), .route = names_.size()});
  names_.push_back(std::move(names));
  return names_.size() - 1;
}

std::optional<std::size_t> Router::find(std::size_t at, std::span<const std::string_view> segments,
                                        std::size_t depth, std::string_view method,
                                        Trail& trail) const {
  const Node& node = nodes_[at];
  if (depth == segments.size()) {
    for (const Node::Target& target : node.targets) {
      if (method.empty() || target.method == method) return target.route;
    }
    return std::nullopt;
  }
  const std::string_view segment = segments[depth];
  const auto literal = std::ranges::find(node.literals, segment, &Node::Literal::text);
  if (literal != node.literals.end()) {
    if (auto route = find(literal->node, segments, depth + 1, method, trail)) return route;
  }
  if (node.parameter == 0 || segment.empty()) return std::nullopt;
  const std::size_t mark = trail.length;
  trail.segments[trail.length++] = static_cast<std::uint8_t>(depth);
  if (auto route = find(node.parameter, segments, depth + 1, method, trail)) return route;
  trail.length = mark;
  return std::nullopt;
}

std::optional<RouteMatch> Router::match(std::string_view method, std::string_view raw_path) const {
  Segments segments;
  Trail trail{};
  if (method.empty() || !segments.split(raw_path)) return std::nullopt;
  const auto route = find(0, segments.all(), 0, method, trail);
  if (!route) return std::nullopt;
  RouteMatch match{.route = *route, .params = {}};
  match.params.reserve(trail.length);
  for (std::size_t i = 0; i < trail.length; ++i) {
    match.params.push_back(
        {.name = names_[*route][i], .value = std::string(segments.all()[trail.segments[i]])});
  }
  return match;
}

bool Router::knows_path(std::string_view raw_path) const {
  Segments segments;
  Trail trail{};
  return segments.split(raw_path) && find(0, segments.all(), 0, {}, trail).has_value();
}

}  // namespace tarn::http
