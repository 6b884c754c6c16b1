// The best common ancestor of two commits (storage-format.md 4.4 "Merge base").
#pragma once

#include <optional>

#include "base/context.h"
#include "base/task.h"
#include "versioning/refs/commits.h"

namespace tarn::versioning {

/// Walks both histories by generation, then creation time, newest first, until a commit is reached
/// from both. One answer even for criss-cross histories; nullopt: no common ancestor.
/// Error{commit_not_found} if either commit, or a hole in history, is missing.
Task<std::optional<CommitId>> find_merge_base(Context& ctx, Commits& commits,
                                              const Repository& repository, const CommitId& source,
                                              const CommitId& destination);

}  // namespace tarn::versioning
