// Merging (lakefs-http-behaviour.md 14.3, 14.4).
#include "api/merge_models.h"
#include "base/error.h"
#include "rest/handlers.h"

namespace tarn::rest {

namespace {

versioning::MergeStrategy parse_strategy(std::string_view text) {
  if (text.empty()) return versioning::MergeStrategy::none;
  if (text == "dest-wins") return versioning::MergeStrategy::destination_wins;
  if (text == "source-wins") return versioning::MergeStrategy::source_wins;
  throw Error(ErrorCode::invalid_argument, "argument strategy: invalid value: validation error");
}

}  // namespace

Task<> merge_into_branch(Call& call) {
  api::Merge merge;
  if (call.document) merge = api::decode_merge(call.body());
  const auto repository = co_await call.repository();
  const BranchId destination =
      require_branch(call.params.text("destinationBranch"), "argument destination");
  versioning::MergeParams params{.committer = call.committer(),
                                 .message = std::move(merge.message),
                                 .metadata = std::move(merge.metadata),
                                 .strategy = parse_strategy(merge.strategy),
                                 .squash = merge.squash_merge,
                                 .allow_empty = merge.allow_empty,
                                 .force = merge.force};
  const auto outcome = co_await call.services.engine.merge(
      call.ctx, *repository, destination,
      require_ref(call.params.text("sourceRef"), "argument source"), std::move(params));
  // A conflict is answered with the same document, its reference empty.
  api::MergeResult result;
  if (outcome.commit_id) result.reference = outcome.commit_id->str();
  co_await call.reply(outcome.commit_id ? 200 : 409, result);
}

Task<> find_merge_base(Call& call) {
  const auto repository = co_await call.repository();
  const auto found = co_await call.services.engine.find_merge_base(
      call.ctx, *repository, require_ref(call.params.text("sourceRef"), "argument source"),
      call.params.text("destinationBranch"));
  if (!found) throw Error(ErrorCode::invalid_argument, "no merge base");
  co_await call.reply(200,
                      api::FindMergeBaseResult{.source_commit_id = found->source.str(),
                                               .destination_commit_id = found->destination.str(),
                                               .base_commit_id = found->base.str()});
}

}  // namespace tarn::rest
