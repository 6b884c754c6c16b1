// Free text pairs of a repository (lakefs-http-behaviour.md 11.5).
#include "api/repository_models.h"
#include "rest/handlers.h"

namespace tarn::rest {

Task<> get_repository_metadata(Call& call) {
  const auto repository = co_await call.repository();
  auto pairs = co_await call.services.engine.repository_metadata(call.ctx, *repository);
  co_await call.reply(200, api::RepositoryMetadata{.pairs = std::move(pairs)});
}

Task<> set_repository_metadata(Call& call) {
  const auto repository = co_await call.repository();
  auto pairs = api::decode_repository_metadata_set(call.body());
  if (!pairs.empty()) {
    co_await call.services.engine.update_repository_metadata(call.ctx, *repository,
                                                             std::move(pairs), {});
  }
  co_await call.reply_empty(204);
}

Task<> delete_repository_metadata(Call& call) {
  const auto repository = co_await call.repository();
  auto keys = api::decode_repository_metadata_keys(call.body());
  if (!keys.empty()) {
    co_await call.services.engine.update_repository_metadata(call.ctx, *repository, {},
                                                             std::move(keys));
  }
  co_await call.reply_empty(204);
}

}  // namespace tarn::rest
