// Repositories (lakefs-http-behaviour.md 11).
#include "base/error.h"
#include "rest/handlers.h"
#include "rest/models.h"
#include "rest/sample_data.h"

namespace tarn::rest {

Task<> list_repositories(Call& call) {
  const auto page = co_await call.services.engine.list_repositories(call.ctx, call.page(),
                                                                    call.params.text("search"));
  co_await call.reply(
      200, to_page(page, [](const auto& item) -> std::string_view { return item.id.str(); }));
}

Task<> create_repository(Call& call) {
  const auto creation = api::decode_repository_creation(call.body());
  const bool bare = call.params.flag("bare");
  const auto repository = co_await call.services.catalog.create_repository(
      call.ctx, {.name = creation.name,
                 .storage_namespace = creation.storage_namespace,
                 .default_branch = creation.default_branch,
                 .storage_id = creation.storage_id,
                 .read_only = creation.read_only,
                 .bare = bare});
  if (creation.sample_data && !bare) {
    co_await add_sample_data(call.ctx, call.services, repository, call.committer());
  }
  co_await call.reply(201, to_model(repository));
}

Task<> get_repository(Call& call) {
  co_await call.reply(200, to_model(*co_await call.repository()));
}

Task<> delete_repository(Call& call) {
  const RepositoryId id = require_repository(call.params.text("repository"));
  co_await call.services.engine.delete_repository(call.ctx, id, call.params.flag("force"));
  co_await call.reply_empty(204);
}

/// Permission was all that was asked.
Task<> confirm(Call& call) {
  return call.reply_empty(204);
}

}  // namespace tarn::rest
