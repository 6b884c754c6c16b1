// What the engine must do, said with maps: a tree per commit. Operations are numbers that mean
// something in any state, so that any subset of a list of them can be run.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "versioning/types.h"

namespace tarn::versioning::model {

using Tree = std::map<std::string, std::string>;
using Staging = std::map<std::string, std::optional<std::string>>;  // nullopt: a tombstone
using Rows = std::vector<std::string>;

struct ModelCommit {
  std::string id;
  std::string meta_range_id;  // as the engine chose it
  Tree tree;
  std::vector<std::size_t> parents;
  std::int32_t generation = 1;
};

struct ModelBranch {
  std::size_t head = 0;
  Staging staging;
};

struct State {
  std::vector<ModelCommit> commits;  // oldest first: a place is a date
  std::map<std::string, ModelBranch> branches;
  std::map<std::string, std::size_t> tags;

  /// By the rule of storage-format.md 4.4; every two commits have one here.
  std::size_t merge_base(std::size_t left, std::size_t right) const;
  /// Newest first.
  std::vector<std::size_t> history(std::size_t head) const;
};

Tree overlaid(Tree tree, const Staging& staging);

struct Merged {
  Tree tree;
  std::size_t conflicts = 0;
};

Merged merged(const Tree& destination, const Tree& source, const Tree& base,
              MergeStrategy strategy);

/// "key=value"
Rows listing(const Tree& tree);
/// "+key=new", "-key=old", "~key=new"
Rows two_dot(const Tree& left, const Tree& right);
/// The same, and "!key" for a conflict.
Rows three_dot(const Tree& destination, const Tree& source, const Tree& base);

enum class OpKind : std::uint8_t {
  set,
  set_run,
  set_if_absent,
  update,
  remove,
  remove_no_tombstone,
  commit,
  commit_empty,
  create_branch,
  delete_branch,
  create_tag,
  delete_tag,
  merge,
  revert,
  cherry_pick,
  reset_key,
  reset_prefix,
  reset_branch,
  hard_reset,
  repoint,
  diff,
  compare,
  diff_uncommitted,
  list,
  get,
};

struct Op {
  OpKind kind = OpKind::set;
  std::array<std::uint32_t, 5> pick{};  // what each means is the kind's business
};

std::string to_text(const std::vector<Op>& ops);
std::vector<Op> random_ops(std::uint64_t seed, std::size_t count);

/// Removes what it can while `fails` stays true for the rest; in the end no single item can go.
template <class T, class Fails>
std::vector<T> shrink(std::vector<T> items, Fails fails) {
  bool removed = false;
  for (std::size_t chunk = items.size(); chunk > 0; chunk = removed && chunk == 1 ? 1 : chunk / 2) {
    removed = false;
    for (std::size_t from = 0; from < items.size();) {
      std::vector<T> fewer = items;
      const auto first = fewer.begin() + static_cast<std::ptrdiff_t>(from);
      fewer.erase(first, first + static_cast<std::ptrdiff_t>(std::min(chunk, items.size() - from)));
      if (fails(fewer)) {
        items = std::move(fewer);
        removed = true;
      } else {
        from += chunk;
      }
    }
  }
  return items;
}

}  // namespace tarn::versioning::model
