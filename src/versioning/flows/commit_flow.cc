// Commit (storage-format.md 4.3).
#include <exception>

#include "base/error.h"
#include "versioning/flows/head_flow.h"

namespace tarn::versioning {

namespace {

class CommitFlow {
 public:
  CommitFlow(EngineParts& engine, Context& ctx, const Repository& repository,
             const BranchId& branch, CommitParams params)
      : engine_(engine),
        ctx_(ctx),
        repository_(repository),
        branch_id_(branch),
        params_(std::move(params)),
        when_(params_.date ? Timestamp{.seconds = *params_.date, .nanos = 0} : engine.clock.now()) {
  }

  Task<Commit> run();

 private:
  Task<> check_source_metarange();
  Task<> move_head();
  Task<std::optional<Branch>> step(const Branch& branch);
  Task<MetaRangeId> tree_of(const Branch& branch, const Commit& base);
  HookRecord hook(HookEvent event, std::string source_ref) const;

  EngineParts& engine_;
  Context& ctx_;
  const Repository& repository_;
  const BranchId& branch_id_;
  const CommitParams params_;
  const Timestamp when_;
  std::optional<BuiltTree> built_;
  std::optional<Commit> made_;
  Branches::Companions companions_;
  std::optional<Branch> before_;  // as read by the last attempt
  std::string pre_run_id_;
};

HookRecord CommitFlow::hook(HookEvent event, std::string source_ref) const {
  return {.event = event,
          .repository = &repository_,
          .branch = branch_id_.str(),
          .source_ref = std::move(source_ref),
          .commit = made_,
          .pre_run_id = pre_run_id_};
}

Task<Commit> CommitFlow::run() {
  co_await engine_.require_unprotected(ctx_, repository_, branch_id_, BlockedAction::commit,
                                       "cannot commit to protected branch");
  EngineParts::require_writable(repository_, params_.force);
  co_await engine_.branches.get(ctx_, repository_, branch_id_);
  // Hooks at the two ends run outside the branch's turn: they may work on the branch themselves.
  co_await engine_.run_hook(ctx_, hook(HookEvent::prepare_commit, branch_id_.str()));
  co_await move_head();
  co_await engine_.run_hook(ctx_, hook(HookEvent::post_commit, made_->id.str()));
  co_return *made_;
}

Task<> CommitFlow::check_source_metarange() {
  if (!params_.source_metarange) co_return;
  const Branch branch = co_await engine_.branches.get(ctx_, repository_, branch_id_);
  if (!co_await engine_.effectively_empty(ctx_, repository_, staging_tokens(branch),
                                          branch.commit_id)) {
    throw Error(ErrorCode::dirty_branch,
                "cannot use source MetaRange on a branch with uncommitted changes");
  }
}

Task<> CommitFlow::move_head() {
  const auto turn = co_await engine_.take_turn(ctx_, repository_, branch_id_);
  co_await check_source_metarange();
  co_await engine_.seal(ctx_, repository_, branch_id_, false);
  bool no_changes = false;
  try {
    co_await engine_.branches.update(
        ctx_, repository_, branch_id_, [this](const Branch& branch) { return step(branch); },
        &companions_);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::no_changes) throw;
    no_changes = true;
  }
  if (no_changes) {
    co_await engine_.drop_sealed(ctx_, repository_, *before_);
    throw Error(ErrorCode::no_changes, "commit: no changes");
  }
  co_await engine_.discard(ctx_, before_->sealed_tokens);
}

Task<std::optional<Branch>> CommitFlow::step(const Branch& branch) {
  before_ = branch;
  const CommitPtr base = co_await engine_.commits.get(ctx_, repository_, branch.commit_id);
  made_ = new_commit(params_.committer, params_.message, when_, params_.metadata);
  made_->parents = {base->id};
  pre_run_id_ = co_await engine_.run_hook(ctx_, hook(HookEvent::pre_commit, branch_id_.str()));
  finish_commit(*made_, co_await tree_of(branch, *base), {base});
  // The record goes ahead of the branch that points to it, in one visit to the store.
  companions_.before.clear();
  companions_.before.push_back(Commits::put_op(repository_, *made_));
  companions_.done = [this](const std::vector<kv::OpResult>& results) {
    if (results.front().stored) engine_.commits.note_stored(repository_, *made_);
  };
  Branch moved = branch;
  moved.commit_id = made_->id;
  moved.sealed_tokens.clear();
  co_return moved;
}

Task<MetaRangeId> CommitFlow::tree_of(const Branch& branch, const Commit& base) {
  if (params_.source_metarange) {
    if (!co_await engine_.effectively_empty(ctx_, repository_, branch.sealed_tokens,
                                            branch.commit_id)) {
      throw Error(ErrorCode::dirty_branch,
                  "cannot use source MetaRange on a branch with uncommitted changes");
    }
    co_return *params_.source_metarange;
  }
  std::string inputs = base.meta_range_id;
  for (const std::string& token : branch.sealed_tokens)
    inputs.append("/").append(token);
  if (!built_ || built_->inputs != inputs) {
    const auto changes = engine_.open_changes(branch.sealed_tokens, Staging::kAllRecords);
    auto applied = co_await engine_.committed.apply(ctx_, repository_.storage_namespace,
                                                    base.meta_range_id, *changes);
    built_ = BuiltTree{std::move(inputs), std::move(applied.id), applied.summary};
  }
  const ChangeSummary& summary = built_->summary;
  if (summary.added + summary.removed + summary.changed == 0 && !params_.allow_empty) {
    throw Error(ErrorCode::no_changes, "no changes");
  }
  co_return built_->id;
}

}  // namespace

Task<Commit> Engine::commit(Context& ctx, const Repository& repository, const BranchId& branch,
                            CommitParams params) {
  CommitFlow flow(*impl_, ctx, repository, branch, std::move(params));
  co_return co_await flow.run();
}

}  // namespace tarn::versioning
