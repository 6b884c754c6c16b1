// Ready-made records for tests of this layer.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/hash.h"
#include "versioning/types.h"

namespace tarn::versioning::testing {

inline Repository make_repository(std::string id = "repo", std::string uid = "uid") {
  return {.id = RepositoryId::from_stored(std::move(id)),
          .storage_namespace = "mem://repo",
          .default_branch = BranchId::from_stored("main"),
          .creation_date = {.seconds = 1'700'000'000, .nanos = 5},
          .instance_uid = std::move(uid)};
}

/// 64 hex digits that follow from `name`.
inline CommitId commit_id(std::string_view name) {
  return CommitId::from_stored(to_hex(sha256(name)));
}

inline Branch make_branch(std::string id, std::string token, std::string commit = "c0") {
  return {.id = BranchId::from_stored(std::move(id)),
          .commit_id = commit_id(commit),
          .staging_token = std::move(token),
          .sealed_tokens = {}};
}

struct CommitShape {
  std::vector<std::string> parents = {};
  std::int32_t generation = 1;
  Timestamp date = {};
};

/// A commit with the id commit_id(name) and `name` as message.
inline Commit make_commit(const std::string& name, const CommitShape& shape) {
  Commit commit{.id = commit_id(name),
                .committer = "tester",
                .message = name,
                .creation_date = shape.date,
                .meta_range_id = "",
                .generation = shape.generation};
  for (const std::string& parent : shape.parents)
    commit.parents.push_back(commit_id(parent));
  return commit;
}

inline Value make_value(std::string_view text) {
  return {.identity = sha256(text), .data = std::string(text)};
}

}  // namespace tarn::versioning::testing
