// Checks what a store holds: every ref leads to commits, trees, ranges and objects that exist and
// verify, and nothing lies about that nothing refers to. Reads only; repair() is another call.
// What each finding means to an operator: docs/operating/checking.md.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "base/task.h"
#include "block/object_store.h"
#include "kv/store.h"
#include "versioning/committed/committed.h"

namespace tarn::catalog {

struct FsckOptions {
  bool check_objects = true;    // head every object that a branch or tag reaches
  bool read_objects = false;    // also read them and compare size and MD5
  std::string repository = {};  // "" = all, and what belongs to none of them
};

/// Damage: something a client asks for is not there or not what was stored. Leftover: wasted space,
/// which crashes leave behind; everything reads and writes as it should.
enum class Severity : std::uint8_t { damage, leftover };

enum class Finding : std::uint8_t {
  repository_unreadable,
  branch_unreadable,
  branch_to_nowhere,
  default_branch_missing,
  tag_unreadable,
  tag_to_nowhere,
  commit_unreadable,
  commit_id_mismatch,
  commit_parent_missing,
  metarange_missing,
  metarange_corrupt,
  range_missing,
  range_corrupt,
  range_id_mismatch,
  range_bounds_mismatch,
  entry_unreadable,
  object_missing,
  object_size_mismatch,
  object_content_mismatch,
  object_unreachable,
  staged_entry_unreadable,
  staging_token_shared,
  staging_token_condemned,
  sealed_token_dangling,
  staging_token_leaked,
  upload_record_dangling,
};

/// "branch to nowhere".
std::string_view to_string(Finding finding);
Severity severity_of(Finding finding);

/// Who may ask for a repair. `refs` and `staged` lose something, so each is asked for by name.
enum class RepairKind : std::uint8_t { none, safe, refs, staged };
std::string_view to_string(RepairKind kind);

/// Some of the names, and how many there are.
struct Names {
  static constexpr std::size_t kKept = 10;

  std::vector<std::string> kept;
  std::uint64_t count = 0;

  void add(std::string name) {
    if (++count <= kKept) kept.push_back(std::move(name));
  }
};

struct Problem {
  Finding finding;
  std::string repository;  // "" = of none
  std::string where;       // "branch main", "range 5f..", "commit 1a.."
  std::string detail;
  Names paths;    // objects it hits, where that is known
  Names commits;  // whose trees it hits
  Names heads;    // branches and tags whose present content it hits
  Names history;  // branches and tags that only have it in their history
  RepairKind repair_kind = RepairKind::none;
  std::string repair;                   // what a repair does, for people
  std::vector<kv::Op> repair_ops = {};  // and for the store
};

struct FsckReport {
  std::uint64_t repositories = 0, branches = 0, tags = 0, commits = 0;
  std::uint64_t ranges = 0, entries = 0, objects = 0, staged = 0, uploads = 0;
  std::uint64_t damage = 0, leftovers = 0;
  bool partitions_listed = true;  // false: this metadata store cannot look for leaked tokens
  std::map<Finding, std::uint64_t> found;

  bool clean() const { return damage == 0; }
};

/// What fsck reads from. `committed` without a disk cache: the store's own files are to be checked.
struct FsckStores {
  kv::Store& kv;
  block::ObjectStore& objects;
  versioning::Committed& committed;
};

/// Calls `on_problem` for each finding of a repository when that repository is done, for at most
/// kProblemsKept of one kind; the report counts all. Nobody may write meanwhile. Memory: about 30
/// bytes per commit of the largest repository, 16 per tree and range, one range file, and 32 MiB
/// to remember objects. Throws only when it cannot go on (a store that does not answer).
Task<FsckReport> run_fsck(Context& ctx, FsckStores stores, FsckOptions options,
                          std::function<void(const Problem&)> on_problem);

inline constexpr std::uint64_t kProblemsKept = 1'000;

/// Does what `problem.repair` says. False: the record has changed since it was read.
Task<bool> repair(Context& ctx, kv::Store& kv, const Problem& problem);

/// Points a branch at another commit, whatever it points at now, and makes it if there is none;
/// what is staged on it stays. Error{repository_not_found}, {commit_not_found}, {corrupt}.
Task<> point_branch(Context& ctx, kv::Store& kv, std::string_view repository,
                    std::string_view branch, std::string_view commit);

}  // namespace tarn::catalog
