// History in log order: a best-first walk, not a sort (storage-format.md 4.4 "Log").
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
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

  /// The same where nothing has to be read or waited for; nullopt: ask next(). History in the cache
  /// costs no coroutine a commit.
  std::optional<CommitPtr> next_ready();

 private:
  bool discover_cached();
  void discovered(CommitPtr commit);
  CommitPtr take();

  Commits& commits_;
  Repository repository_;
  std::string partition_;
  LogWalkOptions options_;
  std::vector<CommitId> undiscovered_;  // the next one last
  std::vector<CommitPtr> frontier_;     // a heap
  std::unordered_set<CommitId> seen_;
  std::size_t unbroken_ = 0;  // commits taken since the loop had its turn
  bool ended_ = false;
};

/// Decides whether a commit belongs in a filtered log (objects, prefixes). Merge commits and roots
/// never match such a filter; that rule is the predicate's.
using CommitFilter = std::function<Task<bool>(Context&, const Commit&)>;

/// Up to `amount` commits that pass `filter` (empty = all). has_more looks one match ahead, unless
/// `limit`: then the walk stops with the last match and has_more is false.
Task<Page<CommitPtr>> read_log_page(Context& ctx, LogWalk& walk, std::size_t amount,
                                    const CommitFilter& filter, bool limit);

}  // namespace tarn::versioning
