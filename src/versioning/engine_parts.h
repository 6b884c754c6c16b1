// What the engine is made of, shared by its flows. Internal to versioning/.
#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/task_group.h"
#include "versioning/branch_turns.h"
#include "versioning/engine.h"
#include "versioning/refs/branches.h"
#include "versioning/refs/commits.h"
#include "versioning/refs/protection.h"
#include "versioning/refs/repo_metadata.h"
#include "versioning/refs/repositories.h"
#include "versioning/refs/resolver.h"
#include "versioning/refs/tags.h"
#include "versioning/staging/cleanup.h"
#include "versioning/staging/combined_stream.h"
#include "versioning/staging/staging.h"
#include "versioning/staging/write_path.h"

namespace tarn::versioning {

struct EngineParts {
  EngineParts(Engine::Parts parts, EngineConfig engine_config);

  kv::Store& kv;
  Committed& committed;
  Clock& clock;
  io::Loops* loops;
  EngineConfig config;

  Repositories repositories;
  Branches branches;
  Tags tags;
  Commits commits;
  Resolver resolver;
  Protection protection;
  RepoMetadata repo_metadata;
  Staging staging;
  Cleanup cleanup;
  WritePath write_path;
  BranchTurns turns;
  HookSink* hooks;
  io::TaskGroup tasks;
  std::atomic<bool> tokens_queued = true;  // true at start: leftovers of an earlier run
  std::mutex unqueued_mutex;
  std::vector<std::string> unqueued;  // guarded; dropped tokens the queue did not take yet

  // --- checks (engine_checks.cc) ---
  /// Error{read_only} "read-only repository" unless forced.
  static void require_writable(const Repository& repository, bool force);
  /// Error{protected_branch} with `message`.
  Task<> require_unprotected(Context& ctx, const Repository& repository, const BranchId& branch,
                             BlockedAction action, std::string_view message);
  /// No staged record of `tokens` (reading order) differs from the commit (4.1).
  Task<bool> effectively_empty(Context& ctx, const Repository& repository,
                               const std::vector<std::string>& tokens, const CommitId& commit);
  /// Changes of several tokens as one stream, tombstones included.
  std::unique_ptr<RecordStream> open_changes(const std::vector<std::string>& tokens,
                                             std::uint32_t likely_records = 32);

  // --- references (engine_checks.cc) ---
  /// resolve_to_commit() with `context`, if any, put before the message of a failure.
  Task<CommitPtr> commit_of(Context& ctx, const Repository& repository, std::string_view ref,
                            std::string_view context);
  Task<std::vector<std::optional<Value>>> read_committed(Context& ctx, const Repository& repository,
                                                         const CommitId& commit,
                                                         const std::vector<std::string>& keys);

  // --- branch heads (head_update.cc) ---
  Task<BranchTurns::Turn> take_turn(Context& ctx, const Repository& repository,
                                    const BranchId& branch);
  /// Moves the current staging token to the sealed ones, so that later writes go elsewhere. With
  /// `require_clean`, throws Error{dirty_branch} first if anything uncommitted is there (4.4).
  /// Without, an unused token stays where it is if others are sealed already, so that commits
  /// refused over and over do not pile tokens up.
  Task<Branch> seal(Context& ctx, const Repository& repository, const BranchId& branch,
                    bool require_clean);
  /// Drops the sealed tokens of `seen`, which the caller found to change nothing, so that refused
  /// operations do not pile them up. Only while the branch is as seen: what is sealed gets no more
  /// acknowledged writes, so the finding still holds. Losing the race leaves them: harmless.
  Task<> drop_sealed(Context& ctx, const Repository& repository, const Branch& seen);
  /// Queues tokens nothing refers to any more and wakes the clean-up. Never fails what has been
  /// done already: tokens that cannot be queued now are kept for the next clean-up.
  Task<> discard(Context& ctx, std::vector<std::string> tokens);
  /// Queues what discard() could not.
  Task<> queue_the_rest(Context& ctx);

  Task<std::string> run_hook(Context& ctx, HookRecord record);
  Task<> run_clean_up();
};

/// Throws `error` again with `context` before its message.
[[noreturn]] void rethrow_with(const Error& error, std::string_view context);

}  // namespace tarn::versioning
