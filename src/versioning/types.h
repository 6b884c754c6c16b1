// The vocabulary of the engine: repositories, branches, tags, commits, values.
// Stored forms: storage-format.md 2.3, 2.4, 3.4, 3.5.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "base/time.h"

namespace tarn::versioning {

/// Free text pairs on commits, repositories and entries; ordered, as ids hash them.
using Metadata = std::map<std::string, std::string>;

/// 64 hex characters, or "" for the tree that holds nothing.
using MetaRangeId = std::string;

enum class RepositoryState : std::uint8_t { active, in_deletion };

struct Repository {
  RepositoryId id;
  std::string storage_namespace;
  BranchId default_branch;
  Timestamp creation_date;
  RepositoryState state = RepositoryState::active;
  std::string instance_uid;  // xid; a repository created again under its name gets another
  bool read_only = false;
  std::string storage_id;

  /// The KV partition of everything that belongs to this instance.
  std::string partition() const { return id.str() + "-" + instance_uid; }
};

struct Branch {
  BranchId id;
  CommitId commit_id;
  std::string staging_token;
  std::vector<std::string> sealed_tokens;  // newest first
  bool hidden = false;
};

struct Tag {
  TagId id;
  CommitId commit_id;
};

struct Commit {
  CommitId id;
  std::string committer;
  std::string message;
  Timestamp creation_date;
  MetaRangeId meta_range_id;
  Metadata metadata;
  std::vector<CommitId> parents;
  std::int32_t version = 1;     // 0: main parent is the last one, 1: the first
  std::int32_t generation = 1;  // 1 for a root, else max(parents) + 1
};

/// One object's value as the engine sees it: identity decides equality, data is the catalog's.
struct Value {
  std::string identity;  // 32 raw bytes for objects
  std::string data;
  friend bool operator==(const Value&, const Value&) = default;
};

/// A record of a stream; views are valid until the stream moves.
struct RecordView {
  std::string_view key;
  std::string_view identity;
  std::string_view data;
  bool tombstone = false;  // only in streams of changes

  Value to_value() const { return {std::string(identity), std::string(data)}; }
};

enum class DiffType : std::uint8_t { added, removed, changed, conflict };

struct Difference {
  DiffType type = DiffType::added;
  std::string key;
  /// The value on the right (added, changed, conflict) or, for removed, on the left.
  Value value;
};

enum class MergeStrategy : std::uint8_t { none, destination_wins, source_wins };

/// Counts of what a merge or a commit did to the tree.
struct ChangeSummary {
  std::int64_t added = 0;
  std::int64_t removed = 0;
  std::int64_t changed = 0;
  std::int64_t conflicts = 0;
};

/// Commits and tags compare by id everywhere; commit_id() is storage-format.md 3.2.
CommitId compute_commit_id(const Commit& commit);

}  // namespace tarn::versioning
