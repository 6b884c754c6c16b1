// History in log order: a best-first walk, not a sort (storage-format.md 4.4 "Log").
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <unordered_set>
#include <vector>

#include "base/context.h"
#include "base/task.h"
#include "versioning/refs/commits.h"
#include "versioning/refs/ref_types.h"

namespace tarn::versioning {

struct LogWalkOptions {
  bool first_parent = false;
  std::optional<CommitId> after;    // begin below this commit; one never met gives nothing
  std::optional<CommitId> stop_at;  // the last commit given
  std::optional<Timestamp> since;   // the walk ends at the first commit older than this
};

/// Repeatedly gives the discovered commit with the greatest creation time, nanoseconds included,
/// ties by id descending, and discovers its parents. Memory: the ids seen and the frontier.
/// Single consumer; borrows `commits`.
class LogWalk {
 public:
  LogWalk(Commits& commits, Repository repository, CommitId start, LogWalkOptions options = {});

  /// Null at the end. Error{commit_not_found} when history has a hole.
  Task<CommitPtr> next(Context& ctx);

 private:
  Task<> discover(Context& ctx, CommitId id);
  Task<CommitPtr> step(Context& ctx);

  Commits& commits_;
  Repository repository_;
  LogWalkOptions options_;
  std::optional<CommitId> start_;
  CommitPtr last_;                   // given out; its parents are discovered when more is asked
  std::vector<CommitPtr> frontier_;  // a heap
  std::unordered_set<CommitId> seen_;
  bool ended_ = false;
};

/// Decides whether a commit belongs in a filtered log (objects, prefixes). Merge commits and roots
/// never match such a filter; that rule is the predicate's.
using CommitFilter = std::function<Task<bool>(Context&, const Commit&)>;

/// Up to `amount` commits that pass `filter` (empty = all). has_more looks one match ahead, unless
/// `limit`: then the walk stops with the last match and has_more is false.
Task<Page<Commit>> read_log_page(Context& ctx, LogWalk& walk, std::size_t amount,
                                 const CommitFilter& filter, bool limit);

}  // namespace tarn::versioning
