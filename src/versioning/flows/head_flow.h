// Operations that put a new commit on a branch: what commit, merge, revert and cherry-pick share.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "versioning/engine_parts.h"

namespace tarn::versioning {

/// Trees of an unfinished attempt. When another server wins the compare-and-set but the inputs are
/// still the same, the tree is used again and only the commit is made anew.
struct BuiltTree {
  std::string inputs;  // the ids it was built from
  MetaRangeId id;
  ChangeSummary summary;
};

/// The fields every new commit has; id and generation are filled in by finish_commit().
Commit new_commit(std::string committer, std::string message, Timestamp when, Metadata metadata);

/// Sets tree, parents and generation (the greatest of the parents' plus one), and the id.
void finish_commit(Commit& commit, MetaRangeId tree, std::vector<CommitPtr> parents);

/// A tree change to a branch that takes nothing from staging: merge, revert, cherry-pick. Holds the
/// branch's turn until the head has moved. Derived classes name the trees and the commit.
class TreeFlow {
 public:
  TreeFlow(EngineParts& engine, Context& ctx, const Repository& repository, const BranchId& branch)
      : engine_(engine), ctx_(ctx), repository_(repository), branch_id_(branch) {}

  virtual ~TreeFlow() = default;

 protected:
  struct Trees {
    MetaRangeId source;
    MetaRangeId base;
  };

  /// Seals a clean branch, then replaces its head; nullopt when the merge has conflicts.
  Task<std::optional<Commit>> run();

  /// Called for each attempt, with the head as read. Throws to stop.
  virtual Task<Trees> trees(const Commit& head) = 0;
  virtual Task<Commit> commit(const CommitPtr& head, MetaRangeId tree) = 0;
  /// Throws Error{no_changes} if the result may not be committed.
  virtual void check_result(const Commit& head, const MetaRangeId& tree) = 0;

  virtual MergeStrategy strategy() const { return MergeStrategy::none; }

  virtual HookEvent pre_event() const = 0;
  virtual HookEvent post_event() const = 0;
  virtual std::string hook_source(const Commit& made) const = 0;

  EngineParts& engine_;
  Context& ctx_;
  const Repository& repository_;
  const BranchId& branch_id_;
  ChangeSummary summary_;

 private:
  Task<> move_head();
  Task<std::optional<Branch>> step(const Branch& branch);
  std::optional<BuiltTree> built_;
  std::optional<Commit> made_;
  std::optional<Branch> clean_;  // as read by the last attempt, if its sealed tokens held nothing
  std::string pre_run_id_;
  bool conflicted_ = false;
};

}  // namespace tarn::versioning
