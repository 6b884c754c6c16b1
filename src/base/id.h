// Strong identifiers: a branch name cannot be passed where a repository is meant, nor an
// unchecked string. Grammars are those of storage-format.md 4.12.
#pragma once

#include <compare>
#include <cstddef>
#include <expected>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"

namespace tarn {

/// `Rule` names the kind (`kName`) and holds its grammar (`matches`). Validate at the edge with
/// parse(); the type carries the proof inward.
template <class Rule>
class Id {
 public:
  /// For text from outside. The error's message is the one clients know.
  static std::expected<Id, ParseError> parse(std::string_view text) {
    if (!Rule::matches(text)) {
      return std::unexpected(
          ParseError{"argument " + std::string(Rule::kName) + ": invalid value: validation error"});
    }
    return Id(std::string(text));
  }

  /// As parse(), but throws Error{invalid_argument}.
  static Id require(std::string_view text) {
    auto id = parse(text);
    if (!id) throw Error(ErrorCode::invalid_argument, std::move(id.error().message));
    return *std::move(id);
  }

  /// For text this system (or the reference) stored, which was validated once already.
  static Id from_stored(std::string text) { return Id(std::move(text)); }

  const std::string& str() const noexcept { return text_; }

  friend auto operator<=>(const Id&, const Id&) = default;

 private:
  explicit Id(std::string text) : text_(std::move(text)) {}

  std::string text_;
};

struct RepositoryIdRule {
  static constexpr std::string_view kName = "repository";
  static bool matches(std::string_view text);  // ^[a-z0-9][a-z0-9-]{2,62}$
};

struct BranchIdRule {
  static constexpr std::string_view kName = "branch";
  static bool matches(std::string_view text);  // ^\w[-\w]*$, ASCII
};

struct TagIdRule {
  static constexpr std::string_view kName = "tag";
  static bool matches(std::string_view text);  // git-like, see 4.12
};

struct CommitIdRule {
  static constexpr std::string_view kName = "commit";
  static bool matches(std::string_view text);  // 64 lower-case hex digits
};

using RepositoryId = Id<RepositoryIdRule>;
using BranchId = Id<BranchIdRule>;
using TagId = Id<TagIdRule>;
using CommitId = Id<CommitIdRule>;

}  // namespace tarn

template <class Rule>
struct std::hash<tarn::Id<Rule>> {
  std::size_t operator()(const tarn::Id<Rule>& id) const noexcept {
    return std::hash<std::string>{}(id.str());
  }
};
