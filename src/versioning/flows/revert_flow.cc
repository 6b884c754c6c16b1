// Revert and cherry-pick (storage-format.md 4.5): both replay the difference between a commit and
// one of its parents onto a branch, in opposite directions.
#include "base/error.h"
#include "base/format.h"
#include "versioning/flows/head_flow.h"

namespace tarn::versioning {

namespace {

/// Tree of parent `number` (1-based), or "" for a root reverted as a whole (number 0).
Task<MetaRangeId> parent_tree(EngineParts& engine, Context& ctx, const Repository& repository,
                              const Commit& commit, int number) {
  if (number == 0 && commit.parents.empty()) co_return MetaRangeId();
  const auto index = static_cast<std::size_t>(number == 0 ? 1 : number) - 1;
  if (index >= commit.parents.size()) {
    throw Error(ErrorCode::invalid_argument,
                format("given commit does not have the given parent number: parent {}", number));
  }
  const CommitPtr parent = co_await engine.commits.get(ctx, repository, commit.parents[index]);
  co_return parent->meta_range_id;
}

[[noreturn]] void refuse_conflict() {
  throw Error(ErrorCode::conflict, "update branch: conflict found");
}

class RevertFlow final : public TreeFlow {
 public:
  RevertFlow(EngineParts& engine, Context& ctx, const Repository& repository,
             const BranchId& branch, std::string_view ref, RevertParams params)
      : TreeFlow(engine, ctx, repository, branch),
        ref_(ref),
        params_(std::move(params)),
        when_(engine.clock.now()) {}

  Task<Commit> outcome() {
    if (params_.parent_number < 0) {
      throw Error(ErrorCode::invalid_argument,
                  "argument parentNumber: invalid value: validation error");
    }
    reverted_ = co_await engine_.commit_of(ctx_, repository_, ref_, "get commit from ref " + ref_);
    if (reverted_->parents.size() > 1 && params_.parent_number == 0) {
      throw Error(ErrorCode::conflict,
                  "must specify 1-based parent number for reverting merge commit");
    }
    parent_tree_ =
        co_await parent_tree(engine_, ctx_, repository_, *reverted_, params_.parent_number);
    auto made = co_await run();
    if (!made) refuse_conflict();
    co_return *std::move(made);
  }

 private:
  Task<Trees> trees(const Commit& head) override {
    static_cast<void>(head);
    co_return Trees{parent_tree_, reverted_->meta_range_id};
  }

  Task<Commit> commit(const CommitPtr& head, MetaRangeId tree) override {
    Commit made = new_commit(params_.committer, params_.message.value_or("Revert " + ref_), when_,
                             params_.metadata.value_or(Metadata()));
    finish_commit(made, std::move(tree), {head});
    co_return made;
  }

  void check_result(const Commit& head, const MetaRangeId& tree) override {
    if (tree == head.meta_range_id && !params_.allow_empty) {
      throw Error(ErrorCode::no_changes, "update branch: no changes");
    }
  }

  HookEvent pre_event() const override { return HookEvent::pre_revert; }

  HookEvent post_event() const override { return HookEvent::post_revert; }

  std::string hook_source(const Commit&) const override { return branch_id_.str(); }

  const std::string ref_;
  const RevertParams params_;
  const Timestamp when_;
  CommitPtr reverted_;
  MetaRangeId parent_tree_;
};

class CherryPickFlow final : public TreeFlow {
 public:
  CherryPickFlow(EngineParts& engine, Context& ctx, const Repository& repository,
                 const BranchId& branch, std::string_view ref, CherryPickParams params)
      : TreeFlow(engine, ctx, repository, branch),
        ref_(ref),
        params_(std::move(params)),
        when_(engine.clock.now()) {}

  Task<Commit> outcome() {
    if (params_.parent_number && *params_.parent_number <= 0) {
      throw Error(ErrorCode::invalid_argument,
                  "argument parentNumber: value should be greater than 0: invalid value: "
                  "validation error");
    }
    picked_ = co_await engine_.commit_of(ctx_, repository_, ref_, "get commit from ref " + ref_);
    if (picked_->parents.size() > 1 && !params_.parent_number) {
      throw Error(ErrorCode::invalid_argument,
                  "must specify 1-based parent number for cherry-picking merge commit");
    }
    const int number = params_.parent_number.value_or(1);
    if (static_cast<std::size_t>(number) > picked_->parents.size()) {
      throw Error(ErrorCode::invalid_argument,
                  format("parent {}: given commit does not have the given parent number", number));
    }
    parent_tree_ = co_await parent_tree(engine_, ctx_, repository_, *picked_, number);
    auto made = co_await run();
    if (!made) refuse_conflict();
    co_return *std::move(made);
  }

 private:
  Task<Trees> trees(const Commit& head) override {
    static_cast<void>(head);
    if (parent_tree_ == picked_->meta_range_id) {
      throw Error(ErrorCode::no_changes, "update branch: no changes");
    }
    co_return Trees{picked_->meta_range_id, parent_tree_};
  }

  Task<Commit> commit(const CommitPtr& head, MetaRangeId tree) override {
    Metadata metadata = params_.metadata.value_or(picked_->metadata);
    metadata["cherry-pick-origin"] = picked_->id.str();
    metadata["cherry-pick-committer"] = picked_->committer;
    Commit made = new_commit(params_.committer, params_.message.value_or(picked_->message), when_,
                             std::move(metadata));
    finish_commit(made, std::move(tree), {head});
    co_return made;
  }

  // Changes that are there already make an empty commit, as in the reference.
  void check_result(const Commit& head, const MetaRangeId& tree) override {
    static_cast<void>(head);
    static_cast<void>(tree);
  }

  HookEvent pre_event() const override { return HookEvent::pre_cherry_pick; }

  HookEvent post_event() const override { return HookEvent::post_cherry_pick; }

  std::string hook_source(const Commit&) const override { return branch_id_.str(); }

  const std::string ref_;
  const CherryPickParams params_;
  const Timestamp when_;
  CommitPtr picked_;
  MetaRangeId parent_tree_;
};

}  // namespace

Task<Commit> Engine::revert(Context& ctx, const Repository& repository, const BranchId& branch,
                            std::string_view ref, RevertParams params) {
  EngineParts::require_writable(repository, params.force);
  RevertFlow flow(*impl_, ctx, repository, branch, ref, std::move(params));
  co_return co_await flow.outcome();
}

Task<Commit> Engine::cherry_pick(Context& ctx, const Repository& repository, const BranchId& branch,
                                 std::string_view ref, CherryPickParams params) {
  EngineParts::require_writable(repository, params.force);
  CherryPickFlow flow(*impl_, ctx, repository, branch, ref, std::move(params));
  co_return co_await flow.outcome();
}

}  // namespace tarn::versioning
