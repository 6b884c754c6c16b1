// Folding ordered keys by a delimiter (lakefs-http-behaviour.md 3): the decisions of every listing
// and of diffs with a delimiter. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tarn::catalog {

/// The common prefix `key` folds into: up to and including the first delimiter after `prefix`;
/// nullopt if it stands for itself. `key` starts with `prefix`.
std::optional<std::string_view> folded_prefix(std::string_view key, std::string_view prefix,
                                              std::string_view delimiter);

/// The least string greater than every string that starts with `prefix`; "" if there is none
/// (only 0xff bytes).
std::string after_prefix(std::string_view prefix);

/// Where a listing begins: the first key that may be shown after `after` (exclusive). An `after`
/// that is itself a folded prefix skips its whole group; one inside a group still lists the group.
std::string listing_start(std::string_view prefix, std::string_view delimiter,
                          std::string_view after);

}  // namespace tarn::catalog
