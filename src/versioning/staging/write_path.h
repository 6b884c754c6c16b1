// Safe writes into a branch's staging area (storage-format.md 4.2). Where the store's guard is
// exact everything is written only while the branch is what we think it is: a token that was sealed
// is not written into at all, what lies below the current token is what it was when we looked, and
// no reader sees a value come, go and come again. Elsewhere the branch is read again after each
// write, and if its staging token has changed the write is repeated in the new one. A record
// written into a token that a commit had already sealed and enumerated would otherwise be lost.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "base/error.h"
#include "base/task.h"
#include "kv/store.h"
#include "versioning/refs/branches.h"
#include "versioning/staging/staging.h"
#include "versioning/types.h"

namespace tarn::versioning {

struct WritePathConfig {
  std::size_t tries = 3;        // when the staging token keeps changing
  std::size_t race_tries = 10;  // update(): when other writers of the key keep winning
  std::chrono::milliseconds race_backoff{1};  // first pause; doubles to 50 ms
  std::size_t token_cache_entries = 4'096;
  bool other_servers = false;  // write to the same store
};

/// Committed values of ascending `keys` at a commit, in their order. Pass a plain lambda that
/// calls a named coroutine; the vector lives until the task has ended.
using ReadCommitted = std::function<Task<std::vector<std::optional<Value>>>(
    Context&, const Repository&, const CommitId&, const std::vector<std::string>& keys)>;

/// Thread-safe. Checks neither protection nor the read-only flag. Remembers staging tokens to
/// write and check in one round trip; correctness does not depend on what is remembered.
///
/// Throws Error{branch_not_found} "branch not found", {too_many_tries} "too many tries" when the
/// token keeps changing, and what Store and the callbacks throw. A write that throws may have
/// happened.
class WritePath {
 public:
  WritePath(kv::Store& kv, ReadCommitted read_committed, WritePathConfig config = {});
  ~WritePath();

  /// Stages a value.
  Task<> set(Context& ctx, const Repository& repository, const BranchId& branch,
             std::string_view key, const Value& value);

  /// Read-change-write of the value visible at `key` (nullopt = nothing). `change` may throw to
  /// stop, and may be called several times, also with what turns out not to be so. When other
  /// writers of the key keep winning: Error{precondition_failed}.
  using Change = std::function<Value(const std::optional<Value>&)>;
  Task<> update(Context& ctx, const Repository& repository, const BranchId& branch,
                std::string_view key, const Change& change);

  /// update() that throws Error{precondition_failed} "precondition failed" if anything is visible.
  /// Of concurrent callers exactly one succeeds.
  Task<> set_if_absent(Context& ctx, const Repository& repository, const BranchId& branch,
                       std::string_view key, const Value& value);

  enum class DeleteForm : std::uint8_t { tombstone, no_tombstone };
  /// Makes the keys invisible, a few round trips for all of them. One outcome per key: nullopt =
  /// done, also if nothing was there; Error{invalid_argument} for a key no store can hold.
  Task<std::vector<std::optional<Error>>> remove(Context& ctx, const Repository& repository,
                                                 const BranchId& branch,
                                                 const std::vector<std::string>& keys,
                                                 DeleteForm form);

  /// The general form: `plan` gets the branch as read and returns unconditional steps on its
  /// staging token (at most a few thousand); they run, and all is repeated if the branch has
  /// changed before they did. Where that is only seen afterwards, steps of an earlier try on keys
  /// the new plan leaves alone are repeated too, in the new token: plan sets and tombstones, not
  /// erasures. Nothing is run for an empty plan.
  using Plan = std::function<Task<std::vector<kv::Op>>(const Branch& branch)>;
  Task<> write(Context& ctx, const Repository& repository, const BranchId& branch,
               const Plan& plan);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tarn::versioning
