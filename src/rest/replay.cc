// Revert and cherry-pick (lakefs-http-behaviour.md 12).
#include <algorithm>
#include <limits>

#include "rest/handlers.h"
#include "rest/models.h"

namespace tarn::rest {

namespace {

/// Parent numbers beyond an int are out of range all the same.
int parent_number(std::int64_t number) {
  using Limits = std::numeric_limits<int>;
  return static_cast<int>(std::clamp<std::int64_t>(number, Limits::min(), Limits::max()));
}

}  // namespace

Task<> revert_branch(Call& call) {
  auto revert = api::decode_revert_creation(call.body());
  const auto repository = co_await call.repository();
  const BranchId branch = call.branch();
  versioning::RevertParams params{.committer = call.committer(),
                                  .message = std::move(revert.commit_overrides.message),
                                  .metadata = std::move(revert.commit_overrides.metadata),
                                  .parent_number = parent_number(revert.parent_number),
                                  .allow_empty = revert.allow_empty,
                                  .force = revert.force};
  co_await call.services.engine.revert(call.ctx, *repository, branch, revert.ref,
                                       std::move(params));
  co_await call.reply_empty(204);
}

Task<> cherry_pick(Call& call) {
  auto pick = api::decode_cherry_pick_creation(call.body());
  const auto repository = co_await call.repository();
  const BranchId branch = call.branch();
  versioning::CherryPickParams params{.committer = call.committer(),
                                      .message = std::move(pick.commit_overrides.message),
                                      .metadata = std::move(pick.commit_overrides.metadata),
                                      .force = pick.force};
  if (pick.parent_number) params.parent_number = parent_number(*pick.parent_number);
  const auto commit = co_await call.services.engine.cherry_pick(call.ctx, *repository, branch,
                                                                pick.ref, std::move(params));
  co_await call.reply(201, to_model(commit));
}

}  // namespace tarn::rest
