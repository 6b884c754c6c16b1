// Branch records of a repository, and the two ways to change one (storage-format.md 4.1).
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/context.h"
#include "base/task.h"
#include "kv/store.h"
#include "versioning/refs/ref_types.h"
#include "versioning/types.h"

namespace tarn::versioning {

struct BranchesConfig {
  std::size_t update_tries = 10;
  std::chrono::milliseconds update_backoff{100};  // first wait; doubles, jittered by half
  std::chrono::milliseconds update_backoff_max{5'000};
};

/// Thread-safe; nothing is cached. Knows no protection rules, no read-only flag, no hooks. Throws
/// what Store throws and Error{corrupt} for a record that does not parse.
class Branches {
 public:
  explicit Branches(kv::Store& kv, BranchesConfig config = {}) : kv_(kv), config_(config) {}

  Task<std::optional<Branch>> find(Context& ctx, const Repository& repository, const BranchId& id);
  /// Error{branch_not_found} "branch not found".
  Task<Branch> get(Context& ctx, const Repository& repository, const BranchId& id);
  /// In order of ids; hidden ones are left out unless `show_hidden`.
  Task<Page<Branch>> list(Context& ctx, const Repository& repository, PageRequest page,
                          bool show_hidden);

  /// The step that create() takes, for a run with other steps.
  static kv::Op create_op(const Repository& repository, const Branch& branch);
  /// False: a branch of that id exists (nothing is written).
  [[nodiscard]] Task<bool> create(Context& ctx, const Repository& repository, const Branch& branch);
  /// Whatever is there; for restore.
  Task<> put(Context& ctx, const Repository& repository, const Branch& branch);
  /// The record only: queue the tokens afterwards. Nothing happens if it is not there.
  Task<> remove(Context& ctx, const Repository& repository, const BranchId& id);

  /// Computes the new record from the one just read; nullopt = leave it as it is. Pass a plain
  /// lambda that calls a named coroutine, not a capturing coroutine lambda:
  ///   branches.update(ctx, repository, id, [&](const Branch& b) { return commit_step(b, plan); });
  /// `current` lives until the returned task has ended. What it throws ends the update.
  using Compute = std::function<Task<std::optional<Branch>>(const Branch& current)>;

  /// Filled by a computation: the steps in `before` go into one run with the record's, ahead of it,
  /// and then `done` hears whether each was stored. They stand even if the record loses.
  struct Companions {
    std::vector<kv::Op> before;
    std::function<void(const std::vector<kv::OpResult>&)> done;
  };

  /// A write whose answer is lost counts as stored if the record is then found as written.
  ///
  /// One attempt; `lost` when another writer came in between, and nothing was written then.
  /// Error{branch_not_found}.
  Task<kv::SetIf> update_once(Context& ctx, const Repository& repository, const BranchId& id,
                              const Compute& compute);
  /// As update_once(), the whole computation repeated when lost, with growing pauses, up to
  /// `update_tries`; then Error{too_many_tries} "too many tries". Returns the record as stored.
  Task<Branch> update(Context& ctx, const Repository& repository, const BranchId& id,
                      const Compute& compute, Companions* companions = nullptr);

 private:
  struct Attempt;
  Task<Attempt> attempt(Context& ctx, const Repository& repository, const BranchId& id,
                        const Compute& compute, Companions* companions);
  Task<bool> holds(Context& ctx, std::string_view partition, std::string_view key,
                   std::string_view wanted);
  kv::Store& kv_;
  BranchesConfig config_;
};

/// The pause before try number `tries` (1 = after the first loss), half to one and a half times
/// the nominal one by `random` in [0, 1).
std::chrono::milliseconds backoff_pause(const BranchesConfig& config, std::size_t tries,
                                        double random);

}  // namespace tarn::versioning
