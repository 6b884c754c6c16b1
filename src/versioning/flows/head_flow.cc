#include "versioning/flows/head_flow.h"

#include <algorithm>
#include <exception>

#include "base/error.h"

namespace tarn::versioning {

Commit new_commit(std::string committer, std::string message, Timestamp when, Metadata metadata) {
  return {.id = CommitId::from_stored({}),
          .committer = std::move(committer),
          .message = std::move(message),
          .creation_date = when,
          .metadata = std::move(metadata)};
}

void finish_commit(Commit& commit, MetaRangeId tree, std::vector<CommitPtr> parents) {
  commit.meta_range_id = std::move(tree);
  commit.generation = 1;
  commit.parents.clear();
  for (const CommitPtr& parent : parents) {
    commit.parents.push_back(parent->id);
    commit.generation = std::max(commit.generation, parent->generation + 1);
  }
  commit.id = compute_commit_id(commit);
}

Task<std::optional<Commit>> TreeFlow::run() {
  co_await move_head();
  if (conflicted_) co_return std::nullopt;
  co_await engine_.run_hook(ctx_, {.event = post_event(),
                                   .repository = &repository_,
                                   .branch = branch_id_.str(),
                                   .source_ref = made_->id.str(),
                                   .commit = made_,
                                   .pre_run_id = pre_run_id_});
  co_return made_;
}

Task<> TreeFlow::move_head() {
  const auto turn = co_await engine_.take_turn(ctx_, repository_, branch_id_);
  co_await engine_.seal(ctx_, repository_, branch_id_, true);
  std::exception_ptr failure;
  try {
    co_await engine_.branches.update(ctx_, repository_, branch_id_,
                                     [this](const Branch& branch) { return step(branch); });
  } catch (...) {
    failure = std::current_exception();
  }
  if (!failure && !conflicted_) {
    co_await engine_.discard(ctx_, clean_->sealed_tokens);
    co_return;
  }
  // Only what the last attempt found clean: a write that was acknowledged while we were sealing
  // lies in these tokens too, and is what made the branch dirty.
  if (clean_) co_await engine_.drop_sealed(ctx_, repository_, *clean_);
  if (failure) std::rethrow_exception(failure);
}

Task<std::optional<Branch>> TreeFlow::step(const Branch& branch) {
  clean_.reset();
  if (!co_await engine_.effectively_empty(ctx_, repository_, branch.sealed_tokens,
                                          branch.commit_id)) {
    throw Error(ErrorCode::dirty_branch, "uncommitted changes (dirty branch)");
  }
  clean_ = branch;
  const CommitPtr head = co_await engine_.commits.get(ctx_, repository_, branch.commit_id);
  Trees inputs = co_await trees(*head);
  const std::string key = head->meta_range_id + "/" + inputs.source + "/" + inputs.base;
  if (!built_ || built_->inputs != key) {
    auto merged =
        co_await engine_.committed.merge(ctx_, repository_.storage_namespace, head->meta_range_id,
                                         inputs.source, inputs.base, strategy());
    summary_ = merged.summary;
    conflicted_ = merged.summary.conflicts > 0 && strategy() == MergeStrategy::none;
    if (conflicted_) co_return std::nullopt;
    built_ = BuiltTree{key, std::move(merged.id), merged.summary};
  }
  check_result(*head, built_->id);
  made_ = co_await commit(head, built_->id);
  co_await engine_.commits.put(ctx_, repository_, *made_);
  pre_run_id_ = co_await engine_.run_hook(ctx_, {.event = pre_event(),
                                                 .repository = &repository_,
                                                 .branch = branch_id_.str(),
                                                 .source_ref = hook_source(*made_),
                                                 .commit = made_});
  Branch moved = branch;
  moved.commit_id = made_->id;
  moved.sealed_tokens.clear();
  co_return moved;
}

}  // namespace tarn::versioning
