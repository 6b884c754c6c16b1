// The grammar of references: a base, then modifiers (storage-format.md 4.11). Pure.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace tarn::versioning {

struct RefModifier {
  enum class Kind : std::uint8_t {
    ancestor,   // ~N: N times the first parent
    parent,     // ^N: the N-th parent, 1-based; 0 = itself
    committed,  // @: a branch without its staging area
    staged,     // $: a branch with its staging area
  };
  Kind kind = Kind::ancestor;
  std::uint64_t count = 1;
  bool counted = false;  // a number was written
  friend bool operator==(const RefModifier&, const RefModifier&) = default;
};

struct RefExpression {
  std::string base;
  std::vector<RefModifier> modifiers;
};

/// Rejects white space, an empty base, signs and anything else that is not a decimal number. A base
/// may still name nothing.
std::expected<RefExpression, ParseError> parse_ref(std::string_view text);

/// `@` and `$` stand alone and take no number. Judged once the base is known to name something, as
/// the reference does.
bool combines_well(const RefExpression& expression);

/// 1 to 64 hex digits of either case: could be the start of a commit id.
bool looks_like_commit_id(std::string_view text);

}  // namespace tarn::versioning
