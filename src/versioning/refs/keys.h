// Partitions and keys of the records in storage-format.md 2.2 to 2.6. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/id.h"

namespace tarn::versioning::keys {

inline constexpr std::string_view kRepositoriesPartition = "graveler";
inline constexpr std::string_view kRepositories = "repos/";
inline constexpr std::string_view kBranches = "branches/";
inline constexpr std::string_view kTags = "tags/";
inline constexpr std::string_view kCommits = "commits/";
inline constexpr std::string_view kRepoMetadata = "repo-metadata";
inline constexpr std::string_view kProtectedBranches = "settings/protected_branches";
inline constexpr std::string_view kCleanupPartition = "cleanup-tokens";
inline constexpr std::string_view kCleanupValue = "stub-value";

inline std::string join(std::string_view folder, std::string_view id) {
  return std::string(folder) += id;
}

inline std::string repository(const RepositoryId& id) {
  return join(kRepositories, id.str());
}

inline std::string branch(const BranchId& id) {
  return join(kBranches, id.str());
}

inline std::string tag(const TagId& id) {
  return join(kTags, id.str());
}

inline std::string commit(const CommitId& id) {
  return join(kCommits, id.str());
}

}  // namespace tarn::versioning::keys
