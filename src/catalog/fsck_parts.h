// What the parts of a check share. Internal to fsck.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "catalog/entry.h"
#include "catalog/fsck.h"
#include "catalog/fsck_findings.h"
#include "catalog/fsck_history.h"
#include "versioning/types.h"

namespace tarn::catalog {

struct FsckRun {
  Context& ctx;
  FsckStores stores;
  const FsckOptions& options;
  FsckReport& report;
  Findings& findings;

  FindingBits add(Problem problem) { return findings.add(report, std::move(problem)); }
};

/// Looks objects up, several at a time, each address once as far as memory goes.
class ObjectChecks {
 public:
  explicit ObjectChecks(FsckRun& run);
  ~ObjectChecks();

  void start(const versioning::Repository& repository);
  /// Takes one entry on; true when flush() is due.
  bool add(const Entry& entry, std::string_view key, std::string where);
  /// Checks what was taken on. `hit` gets the bits of each finding about one of these entries,
  /// those found earlier included.
  Task<> flush(FindingBits& hit);

 private:
  struct Check;

  struct Known {
    FindingBits bits;
    std::size_t number;  // of the problem
  };

  Task<> look(std::size_t check);
  Task<> look_at(Check& check);

  FsckRun& run_;
  const versioning::Repository* repository_ = nullptr;
  std::vector<Check> checks_;
  RecentNames whole_;
  std::unordered_map<std::uint64_t, Known> broken_;
  FindingBits seen_ = 0;  // findings of earlier entries with the address of one taken on
};

/// Metaranges, ranges and their entries, each once.
class TreeChecks {
 public:
  explicit TreeChecks(FsckRun& run) : run_(run), objects_(run) {}

  void start(const versioning::Repository& repository);

  ObjectChecks& objects() { return objects_; }

  Task<> check(const versioning::Commit& commit, bool with_objects);
  /// The findings inside a tree that check() has seen; reads its metarange again if there are any
  /// in ranges.
  Task<FindingBits> hits(const versioning::MetaRangeId& tree);

 private:
  Task<> check_range(const versioning::RangeInfo& range, bool with_objects);
  Task<FindingBits> check_records(const versioning::RangeInfo& range, const std::string& file,
                                  std::string where, bool with_objects);
  Problem problem(Finding finding, std::string where, std::string detail) const;

  FsckRun& run_;
  const versioning::Repository* repository_ = nullptr;
  ObjectChecks objects_;
  NameSet trees_, ranges_;
  std::unordered_map<std::uint64_t, FindingBits> bad_trees_, bad_ranges_, hits_;
};

/// Commits, branches, tags and staging of one repository after the other.
class RepositoryChecks {
 public:
  explicit RepositoryChecks(FsckRun& run) : run_(run), trees_(run) {}

  Task<> check(const versioning::Repository& repository);

 private:
  Task<> load_commits();
  Task<> check_parents();
  Task<> check_branches();
  Task<> check_branch(versioning::Branch branch, std::string stored);
  Task<> check_tags();
  Task<> check_trees(bool reached);
  Task<> check_staging(const versioning::Branch& branch, std::string stored);
  Task<std::uint64_t> check_token(const versioning::Branch& branch, const std::string& token);
  Task<> check_staged(const versioning::Branch& branch, const std::string& token,
                      std::string_view key, std::string_view stored);
  Task<> attribute();
  Task<> attribute_refs(std::string_view folder, std::string_view kind);
  Problem problem(Finding finding, std::string where, std::string detail) const;
  /// The id that begins with a short name.
  Task<std::string> commit_id(std::uint64_t name);

  FsckRun& run_;
  const versioning::Repository* repository_ = nullptr;
  TreeChecks trees_;
  CommitGraph graph_;
  std::unordered_map<std::uint64_t, FindingBits> bad_commits_;
  NameSet tokens_;  // of all repositories: each belongs to one branch
};

/// Staging tokens that no branch has, whatever repository they were of.
Task<> check_leaked_tokens(FsckRun& run);
/// Records of uploads the object store does not know.
Task<> check_uploads(FsckRun& run);

}  // namespace tarn::catalog
