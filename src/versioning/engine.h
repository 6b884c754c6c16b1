// The versioning engine: everything a repository does with branches, commits, tags and values.
// It knows keys and opaque values; entries, uploads and listings with delimiters are catalog's.
// Flows: storage-format.md section 4. Message texts of errors: lakefs-http-behaviour.md 2.2.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/context.h"
#include "base/task.h"
#include "base/time.h"
#include "io/loops.h"
#include "kv/store.h"
#include "versioning/committed/committed.h"
#include "versioning/hook_sink.h"
#include "versioning/refs/commits.h"
#include "versioning/refs/ref_types.h"
#include "versioning/streams.h"
#include "versioning/types.h"

namespace tarn::versioning {

struct EngineConfig {
  std::size_t commit_cache_entries = 50'000;
  std::chrono::milliseconds repository_cache_age{5'000};  // 0 = none
  std::chrono::milliseconds protection_cache_age{3'000};
  std::size_t branch_update_tries = 10;
  std::chrono::milliseconds branch_update_backoff{100};  // first wait; doubles to 5 s, jittered
  std::size_t staging_write_tries = 10;                  // the reference gives up after 3
  bool other_servers = false;                            // write to the same store
  std::chrono::milliseconds clean_up_interval{300'000};  // besides whenever tokens are queued
  // Readers that took a branch record just before a commit may still read its tokens.
  std::chrono::milliseconds clean_up_min_age{60'000};
};

struct CreateRepository {
  RepositoryId id;
  std::string storage_namespace;
  BranchId default_branch;
  std::string storage_id;
  bool read_only = false;
  bool bare = false;  // only the record: no first commit, no branch (for restore)
};

struct WriteOptions {
  bool force = false;         // write to a read-only repository
  bool no_tombstone = false;  // remove(): the "no_tombstone" form of 4.2
};

struct CommitParams {
  std::string committer;
  std::string message;
  Metadata metadata;
  std::optional<std::int64_t> date;  // Unix seconds; now if absent
  std::optional<MetaRangeId> source_metarange;
  bool allow_empty = false;
  bool force = false;
};

struct MergeParams {
  std::string committer;
  std::string message;  // "" = "Merge '<source>' into '<destination>'"
  Metadata metadata;
  MergeStrategy strategy = MergeStrategy::none;
  bool squash = false;
  bool allow_empty = false;
  bool force = false;
};

struct MergeOutcome {
  std::optional<CommitId> commit_id;  // nullopt: conflicts, nothing changed
  ChangeSummary summary;
};

struct RevertParams {
  std::string committer;
  std::optional<std::string> message;  // default "Revert <ref>"
  std::optional<Metadata> metadata;
  int parent_number = 0;  // 1-based; 0 = not a merge commit
  bool allow_empty = false;
  bool force = false;
};

struct CherryPickParams {
  std::string committer;
  std::optional<std::string> message;
  std::optional<Metadata> metadata;
  std::optional<int> parent_number;
  bool force = false;
};

struct LogParams {
  std::optional<CommitId> after;  // start below this commit, which is not returned
  std::size_t amount = 100;
  bool first_parent = false;
  std::optional<CommitId> stop_at;    // last commit returned
  std::optional<Timestamp> since;     // nothing older
  std::vector<std::string> objects;   // only commits that changed one of these keys ...
  std::vector<std::string> prefixes;  // ... or a key under one of these
  bool limit = false;                 // stop walking after `amount` even if filters matched less
};

struct EngineParts;

/// Thread-safe; calls may come from any loop. Methods on a repository take the record from
/// get_repository(). Unless said otherwise they throw Error with: {branch,tag,commit}_not_found;
/// invalid_argument for a bad reference; read_only and protected_branch for writes; too_many_tries
/// when optimistic retries are used up; and what Store and ObjectStore throw.
class Engine {
 public:
  struct Parts {
    kv::Store& kv;
    Committed& committed;
    Clock& clock;
    io::Loops* loops;  // background clean-up runs there; null = only on explicit calls (tests)
  };

  Engine(Parts parts, EngineConfig config);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// The one late binding: before any request is served. Not owned.
  void set_hooks(HookSink& hooks);

  /// Starts the clean-up loop: at start, when tokens are queued, and every few minutes.
  void start();
  /// Stops background work and waits for it.
  Task<> stop();

  // --- repositories ---
  /// Writes first commit, default branch and record (4.9). Error{already_exists}.
  Task<Repository> create_repository(Context& ctx, CreateRepository params);
  /// Error{repository_not_found}, {repository_in_deletion}. Cached briefly.
  Task<std::shared_ptr<const Repository>> get_repository(Context& ctx, const RepositoryId& id);
  Task<Page<Repository>> list_repositories(Context& ctx, PageRequest page,
                                           std::string_view search = {});
  Task<> delete_repository(Context& ctx, const RepositoryId& id, bool force);
  Task<Metadata> repository_metadata(Context& ctx, const Repository& repository);
  /// Sets and removes keys in one compare-and-set loop.
  Task<> update_repository_metadata(Context& ctx, const Repository& repository, Metadata set,
                                    std::vector<std::string> remove);

  // --- branches and tags ---
  Task<Branch> create_branch(Context& ctx, const Repository& repository, const BranchId& id,
                             std::string_view source_ref, bool hidden, bool force);
  Task<Branch> get_branch(Context& ctx, const Repository& repository, const BranchId& id);
  Task<std::optional<Branch>> find_branch(Context& ctx, const Repository& repository,
                                          const BranchId& id);
  Task<Page<Branch>> list_branches(Context& ctx, const Repository& repository, PageRequest page,
                                   bool show_hidden);
  Task<> delete_branch(Context& ctx, const Repository& repository, const BranchId& id, bool force);
  /// Re-points a clean branch (4.9 "update").
  Task<Branch> repoint_branch(Context& ctx, const Repository& repository, const BranchId& id,
                              std::string_view target_ref, bool force);
  Task<Tag> create_tag(Context& ctx, const Repository& repository, const TagId& id,
                       std::string_view target_ref, bool force);
  Task<Tag> get_tag(Context& ctx, const Repository& repository, const TagId& id);
  Task<Page<Tag>> list_tags(Context& ctx, const Repository& repository, PageRequest page);
  Task<> delete_tag(Context& ctx, const Repository& repository, const TagId& id, bool force);

  // --- references and history ---
  /// Error{not_found...} or {invalid_argument}.
  Task<ResolvedRef> resolve(Context& ctx, const Repository& repository, std::string_view ref);
  Task<CommitPtr> get_commit(Context& ctx, const Repository& repository, const CommitId& id);
  /// Resolves to a commit. Error{commit_not_found} "commit not found"; `$` refs are refused with
  /// {invalid_argument}.
  Task<CommitPtr> resolve_commit(Context& ctx, const Repository& repository, std::string_view ref);
  Task<Page<CommitPtr>> log(Context& ctx, const Repository& repository, std::string_view ref,
                            LogParams params);

  struct MergeBase {
    CommitId source, destination, base;
  };

  /// nullopt: no common ancestor.
  Task<std::optional<MergeBase>> find_merge_base(Context& ctx, const Repository& repository,
                                                 std::string_view source,
                                                 std::string_view destination);
  /// CreateCommitRecord of the API (13.3): the id must match the content.
  Task<> put_commit(Context& ctx, const Repository& repository, Commit commit, bool force);

  // --- values ---
  /// Throws what a write to the branch would be refused with (missing or protected branch,
  /// read-only repository), so that edges can refuse before they read a body.
  Task<> check_write(Context& ctx, const Repository& repository, const BranchId& branch,
                     WriteOptions options);
  Task<std::optional<Value>> get(Context& ctx, const Repository& repository, const ResolvedRef& ref,
                                 std::string_view key);
  /// Records visible at `ref`, from `from` inclusive. `likely_records`: how many the reader is
  /// likely to want in a row; a guess that is wrong costs time, no more.
  std::unique_ptr<RecordStream> list(const Repository& repository, const ResolvedRef& ref,
                                     std::string_view from, std::uint32_t likely_records = 32);
  /// Stages a value on the branch (4.2).
  Task<> set(Context& ctx, const Repository& repository, const BranchId& branch,
             std::string_view key, Value value, WriteOptions options);
  /// Only if nothing is visible at `key`; Error{precondition_failed} otherwise.
  Task<> set_if_absent(Context& ctx, const Repository& repository, const BranchId& branch,
                       std::string_view key, Value value, WriteOptions options);
  /// Read-change-write of one value: `change` gets what is visible (nullopt = nothing) and returns
  /// the new value or throws. Lost races are retried with a fresh read, boundedly; it may be
  /// called several times.
  using Change = std::function<Value(const std::optional<Value>&)>;
  Task<> update(Context& ctx, const Repository& repository, const BranchId& branch,
                std::string_view key, Change change, WriteOptions options);
  /// Stages tombstones (4.2 "Delete, default"), several keys concurrently. One outcome per key:
  /// nullopt = done (also if nothing was there).
  Task<std::vector<std::optional<Error>>> remove(Context& ctx, const Repository& repository,
                                                 const BranchId& branch,
                                                 std::vector<std::string> keys,
                                                 WriteOptions options);

  // --- differences ---
  /// Two-dot. The right side may be `branch$`; the left must be a commit.
  Task<std::unique_ptr<DiffStream>> diff(Context& ctx, const Repository& repository,
                                         std::string_view left, std::string_view right);
  /// Three-dot.
  Task<std::unique_ptr<DiffStream>> compare(Context& ctx, const Repository& repository,
                                            std::string_view left, std::string_view right);
  Task<std::unique_ptr<DiffStream>> diff_uncommitted(Context& ctx, const Repository& repository,
                                                     const BranchId& branch);

  // --- making and unmaking commits ---
  Task<Commit> commit(Context& ctx, const Repository& repository, const BranchId& branch,
                      CommitParams params);
  Task<MergeOutcome> merge(Context& ctx, const Repository& repository, const BranchId& destination,
                           std::string_view source_ref, MergeParams params);
  Task<Commit> revert(Context& ctx, const Repository& repository, const BranchId& branch,
                      std::string_view ref, RevertParams params);
  Task<Commit> cherry_pick(Context& ctx, const Repository& repository, const BranchId& branch,
                           std::string_view ref, CherryPickParams params);
  Task<> reset_branch(Context& ctx, const Repository& repository, const BranchId& branch,
                      WriteOptions options);
  Task<> reset_key(Context& ctx, const Repository& repository, const BranchId& branch,
                   std::string_view key, WriteOptions options);
  Task<> reset_prefix(Context& ctx, const Repository& repository, const BranchId& branch,
                      std::string_view prefix, WriteOptions options);
  Task<> hard_reset(Context& ctx, const Repository& repository, const BranchId& branch,
                    std::string_view target_ref, WriteOptions options);

  // --- settings ---
  Task<StoredRules> protection_rules(Context& ctx, const Repository& repository);
  /// Unconditional without a checksum; Error{precondition_failed} if the stored one differs.
  Task<> set_protection_rules(Context& ctx, const Repository& repository, ProtectionRules rules,
                              std::optional<std::string> if_checksum);
  Task<bool> is_protected(Context& ctx, const Repository& repository, const BranchId& branch,
                          BlockedAction action);

  /// One pass over the queue of dropped staging tokens (4.7), whatever their age; returns tokens
  /// removed.
  Task<std::size_t> clean_up(Context& ctx);

 private:
  std::unique_ptr<EngineParts> impl_;
};

}  // namespace tarn::versioning
