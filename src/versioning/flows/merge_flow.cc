// Merge (storage-format.md 4.4).
#include "base/error.h"
#include "base/format.h"
#include "versioning/flows/head_flow.h"
#include "versioning/refs/merge_base.h"

namespace tarn::versioning {

namespace {

std::string_view name_of(MergeStrategy strategy) {
  switch (strategy) {
    case MergeStrategy::none: return "default";
    case MergeStrategy::destination_wins: return "dest-wins";
    case MergeStrategy::source_wins: return "source-wins";
  }
  std::unreachable();
}

class MergeFlow final : public TreeFlow {
 public:
  MergeFlow(EngineParts& engine, Context& ctx, const Repository& repository,
            const BranchId& destination, std::string_view source_ref, MergeParams params)
      : TreeFlow(engine, ctx, repository, destination),
        source_ref_(source_ref),
        params_(std::move(params)),
        when_(engine.clock.now()) {}

  Task<MergeOutcome> outcome() {
    try {
      const auto made = co_await run();
      co_return MergeOutcome{made ? std::optional(made->id) : std::nullopt, summary_};
    } catch (const Error& error) {
      if (error.code() != ErrorCode::no_changes) throw;
      rethrow_with(error, "update branch " + branch_id_.str());
    }
  }

 private:
  Task<Trees> trees(const Commit& head) override {
    // Only now: a dirty destination is told first, whatever the source.
    source_ = co_await engine_.commit_of(
        ctx_, repository_, source_ref_,
        format("update branch {}: get commit by ref {}", branch_id_.str(), source_ref_));
    const auto base_id =
        co_await find_merge_base(ctx_, engine_.commits, repository_, source_->id, head.id);
    if (!base_id) throw Error(ErrorCode::invalid_argument, "no merge base");
    const CommitPtr base = co_await engine_.commits.get(ctx_, repository_, *base_id);
    if (source_->meta_range_id == base->meta_range_id && !params_.allow_empty && !params_.force) {
      throw Error(ErrorCode::no_changes, "no changes");
    }
    co_return Trees{source_->meta_range_id, base->meta_range_id};
  }

  Task<Commit> commit(const CommitPtr& head, MetaRangeId tree) override {
    Metadata metadata = params_.metadata;
    metadata[".lakefs.merge.strategy"] = name_of(params_.strategy);
    Commit made = new_commit(params_.committer,
                             params_.message.empty()
                                 ? format("Merge '{}' into '{}'", source_ref_, branch_id_.str())
                                 : params_.message,
                             when_, std::move(metadata));
    finish_commit(made, std::move(tree), {head, source_});
    // A squash keeps the generation of the merge it stands for; the id does not cover it (3.2).
    if (params_.squash) {
      made.parents.pop_back();
      made.id = compute_commit_id(made);
    }
    co_return made;
  }

  // A merge that ends in the destination's own tree is still a commit.
  void check_result(const Commit& head, const MetaRangeId& tree) override {
    static_cast<void>(head);
    static_cast<void>(tree);
  }

  MergeStrategy strategy() const override { return params_.strategy; }

  HookEvent pre_event() const override { return HookEvent::pre_merge; }

  HookEvent post_event() const override { return HookEvent::post_merge; }

  std::string hook_source(const Commit&) const override { return source_->id.str(); }

  const std::string source_ref_;
  const MergeParams params_;
  const Timestamp when_;
  CommitPtr source_;
};

}  // namespace

Task<MergeOutcome> Engine::merge(Context& ctx, const Repository& repository,
                                 const BranchId& destination, std::string_view source_ref,
                                 MergeParams params) {
  EngineParts::require_writable(repository, params.force);
  MergeFlow flow(*impl_, ctx, repository, destination, source_ref, std::move(params));
  co_return co_await flow.outcome();
}

}  // namespace tarn::versioning
