// Engine: comparing refs.
#include "base/error.h"
#include "versioning/flows/staged_diff.h"
#include "versioning/refs/merge_base.h"

namespace tarn::versioning {

Task<std::unique_ptr<DiffStream>> Engine::diff(Context& ctx, const Repository& repository,
                                               std::string_view left, std::string_view right) {
  const CommitPtr from = co_await impl_->commit_of(ctx, repository, left, "");
  const ResolvedRef to = co_await impl_->resolver.resolve(ctx, repository, right);
  const CommitPtr head = co_await impl_->commits.get(ctx, repository, to.commit_id);
  auto trees =
      impl_->committed.diff(repository.storage_namespace, from->meta_range_id, head->meta_range_id);
  // A plain branch name stands for its head here; only `branch$` brings staging in (4.2).
  if (!to.dollar) co_return trees;
  co_return overlay_diff(*impl_, repository.storage_namespace, from->meta_range_id,
                         std::move(trees), impl_->open_changes(staging_tokens(*to.branch)));
}

Task<std::unique_ptr<DiffStream>> Engine::compare(Context& ctx, const Repository& repository,
                                                  std::string_view left, std::string_view right) {
  const CommitPtr source = co_await impl_->commit_of(
      ctx, repository, right, std::string("get commit by ref ").append(right));
  const CommitPtr destination = co_await impl_->commit_of(
      ctx, repository, left, std::string("get commit by branch ").append(left));
  const auto base_id = co_await versioning::find_merge_base(ctx, impl_->commits, repository,
                                                            source->id, destination->id);
  if (!base_id) throw Error(ErrorCode::invalid_argument, "no merge base");
  const CommitPtr base = co_await impl_->commits.get(ctx, repository, *base_id);
  co_return impl_->committed.compare(repository.storage_namespace, destination->meta_range_id,
                                     source->meta_range_id, base->meta_range_id);
}

Task<std::unique_ptr<DiffStream>> Engine::diff_uncommitted(Context& ctx,
                                                           const Repository& repository,
                                                           const BranchId& branch) {
  const Branch record = co_await impl_->branches.get(ctx, repository, branch);
  const CommitPtr head = co_await impl_->commits.get(ctx, repository, record.commit_id);
  co_return overlay_diff(*impl_, repository.storage_namespace, head->meta_range_id, nullptr,
                         impl_->open_changes(staging_tokens(record)));
}

}  // namespace tarn::versioning
