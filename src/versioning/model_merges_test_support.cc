// What the driver does that can conflict: merges, reverts and cherry-picks.
#include "base/format.h"
#include "versioning/model_driver_test_support.h"
#include "versioning/model_outcome_test_support.h"

namespace tarn::versioning::model {

Task<> Driver::merge(Context& ctx, const Op& op) {
  const std::string to = branch_name(op.pick[0]);
  if (op.pick[4] % 4 != 0) co_await commit(ctx, to, true);
  const Ref source = ref(op.pick[1], op.pick[2]);
  const MergeParams params{.committer = "c",
                           .strategy = static_cast<MergeStrategy>(op.pick[3] % 3),
                           .squash = op.pick[3] / 3 % 4 == 0,
                           .allow_empty = op.pick[3] / 12 % 4 == 0};
  const auto made = co_await attempt(
      engine_.merge(ctx, repository_, BranchId::from_stored(to), source.text, params));
  const std::string what = format("merge {} into {}", source.text, to);
  if (!is_clean(to)) {
    expect_outcome(made.error, ErrorCode::dirty_branch, what);
    co_return;
  }
  branch(to).staging.clear();
  if (source.error) {
    expect_outcome(made.error, source.error, what);
    co_return;
  }
  const std::size_t head = branch(to).head;
  const ModelCommit& from = state_.commits[source.commit];
  const ModelCommit& base = state_.commits[state_.merge_base(source.commit, head)];
  if (from.meta_range_id == base.meta_range_id && !params.allow_empty) {
    expect_outcome(made.error, ErrorCode::no_changes, what);
    co_return;
  }
  expect_outcome(made.error, std::nullopt, what);
  Merged result = merged(head_tree(to), from.tree, base.tree, params.strategy);
  const bool refused = result.conflicts > 0 && params.strategy == MergeStrategy::none;
  expect(made.value->commit_id.has_value() != refused, what + ": conflict or not");
  expect((made.value->summary.conflicts > 0) == (result.conflicts > 0), what + ": conflicts");
  if (refused) co_return;
  std::vector<std::size_t> parents{head};
  if (!params.squash) parents.push_back(source.commit);
  const std::int32_t generation = std::max(state_.commits[head].generation, from.generation) + 1;
  co_await adopt(ctx, to, *made.value->commit_id, std::move(result.tree), std::move(parents),
                 generation);
}

Task<> Driver::adopt_replayed(Context& ctx, const std::string& name, const Outcome& outcome,
                              const std::optional<Commit>& made, Tree tree, bool empty_allowed) {
  const bool may_be_refused = tree == head_tree(name) && !empty_allowed;
  if (may_be_refused && outcome == ErrorCode::no_changes) co_return;
  expect_outcome(outcome, std::nullopt, "replay on " + name);
  const std::size_t parent = branch(name).head;
  co_await adopt(ctx, name, made->id, std::move(tree), {parent},
                 state_.commits[parent].generation + 1);
}

Task<> Driver::revert(Context& ctx, const Op& op) {
  const std::string on = branch_name(op.pick[0]);
  if (op.pick[4] % 4 != 0) co_await commit(ctx, on, true);
  const Ref target = ref(op.pick[1], op.pick[2]);
  const RevertParams params{.committer = "c",
                            .parent_number = static_cast<int>(op.pick[3] % 3),
                            .allow_empty = op.pick[3] / 3 % 4 == 0};
  const auto made = co_await attempt(
      engine_.revert(ctx, repository_, BranchId::from_stored(on), target.text, params));
  const std::string what =
      format("revert {} against {} on {}", target.text, params.parent_number, on);
  Outcome wanted = target.error;
  const ModelCommit& commit = state_.commits[target.commit];
  const std::size_t number = params.parent_number == 0 ? 1 : op.pick[3] % 3;
  const bool root = commit.parents.empty() && params.parent_number == 0;
  if (!wanted && commit.parents.size() > 1 && params.parent_number == 0) {
    wanted = ErrorCode::conflict;
  }
  if (!wanted && !root && number > commit.parents.size()) wanted = ErrorCode::invalid_argument;
  if (!wanted && !is_clean(on)) wanted = ErrorCode::dirty_branch;
  if (wanted) {
    expect_outcome(made.error, wanted, what);
    co_return;
  }
  branch(on).staging.clear();
  const Tree parent = root ? Tree() : state_.commits[commit.parents[number - 1]].tree;
  Merged result = merged(head_tree(on), parent, commit.tree, MergeStrategy::none);
  if (bug_ == Bug::revert_forgets_removed_keys) {
    for (const auto& [key, text] : parent) {
      if (!commit.tree.contains(key)) result.tree.erase(key);
    }
  }
  if (result.conflicts > 0) {
    expect_outcome(made.error, ErrorCode::conflict, what);
    co_return;
  }
  co_await adopt_replayed(ctx, on, made.error, made.value, std::move(result.tree),
                          params.allow_empty);
}

Task<> Driver::cherry_pick(Context& ctx, const Op& op) {
  const std::string on = branch_name(op.pick[0]);
  if (op.pick[4] % 4 != 0) co_await commit(ctx, on, true);
  const Ref target = ref(op.pick[1], op.pick[2]);
  CherryPickParams params{.committer = "c"};
  const std::uint32_t number = op.pick[3] % 4;  // 3: not given
  if (number < 3) params.parent_number = static_cast<int>(number);
  const auto made = co_await attempt(
      engine_.cherry_pick(ctx, repository_, BranchId::from_stored(on), target.text, params));
  const std::string what = format("cherry-pick {} against {} onto {}", target.text, number, on);
  const ModelCommit& commit = state_.commits[target.commit];
  const std::size_t parent = number == 3 ? 1 : number;
  Outcome wanted = target.error;
  if (number == 0) wanted = ErrorCode::invalid_argument;
  if (!wanted && ((commit.parents.size() > 1 && number == 3) || parent > commit.parents.size())) {
    wanted = ErrorCode::invalid_argument;
  }
  if (!wanted && !is_clean(on)) wanted = ErrorCode::dirty_branch;
  if (!wanted) {
    branch(on).staging.clear();
    const ModelCommit& base = state_.commits[commit.parents[parent - 1]];
    if (base.meta_range_id == commit.meta_range_id) wanted = ErrorCode::no_changes;
  }
  if (wanted) {
    expect_outcome(made.error, wanted, what);
    co_return;
  }
  Merged result = merged(head_tree(on), commit.tree,
                         state_.commits[commit.parents[parent - 1]].tree, MergeStrategy::none);
  if (result.conflicts > 0) {
    expect_outcome(made.error, ErrorCode::conflict, what);
    co_return;
  }
  co_await adopt_replayed(ctx, on, made.error, made.value, std::move(result.tree), true);
}

}  // namespace tarn::versioning::model
