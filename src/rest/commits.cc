// Commits (lakefs-http-behaviour.md 13).
#include "base/error.h"
#include "rest/handlers.h"
#include "rest/models.h"

namespace tarn::rest {

namespace {

CommitId require_commit_id(std::string_view text) {
  auto id = CommitId::parse(text);
  if (!id) {
    throw Error(ErrorCode::invalid_argument, "commit id: invalid value: validation error");
  }
  return *std::move(id);
}

}  // namespace

Task<> make_commit(Call& call) {
  auto creation = api::decode_commit_creation(call.body());
  const auto repository = co_await call.repository();
  const BranchId branch = call.branch();
  versioning::CommitParams params{.committer = call.committer(),
                                  .message = std::move(creation.message),
                                  .metadata = std::move(creation.metadata),
                                  .date = creation.date,
                                  .allow_empty = creation.allow_empty,
                                  .force = creation.force};
  const std::string& source = call.params.text("source_metarange");
  if (!source.empty()) params.source_metarange = source;
  const auto commit =
      co_await call.services.engine.commit(call.ctx, *repository, branch, std::move(params));
  co_await call.reply(201, to_model(commit));
}

Task<> create_commit_record(Call& call) {
  auto record = api::decode_commit_record_creation(call.body());
  const auto repository = co_await call.repository();
  versioning::Commit commit{.id = require_commit_id(record.commit_id),
                            .committer = std::move(record.committer),
                            .message = std::move(record.message),
                            .creation_date = {.seconds = record.creation_date, .nanos = 0},
                            .meta_range_id = std::move(record.metarange_id),
                            .metadata = std::move(record.metadata),
                            .version = static_cast<std::int32_t>(record.version),
                            .generation = static_cast<std::int32_t>(record.generation)};
  for (const std::string& parent : record.parents) {
    commit.parents.push_back(require_commit_id(parent));
  }
  co_await call.services.engine.put_commit(call.ctx, *repository, std::move(commit), record.force);
  co_await call.reply_empty(204);
}

Task<> get_commit(Call& call) {
  const auto repository = co_await call.repository();
  const auto commit = co_await call.services.engine.resolve_commit(call.ctx, *repository,
                                                                   call.params.text("commitId"));
  co_await call.reply(200, to_model(*commit));
}

}  // namespace tarn::rest
