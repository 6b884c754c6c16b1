// Tags (lakefs-http-behaviour.md 15).
#include "base/error.h"
#include "rest/handlers.h"
#include "rest/models.h"

namespace tarn::rest {

Task<> list_tags(Call& call) {
  const auto repository = co_await call.repository();
  const auto page = co_await call.services.engine.list_tags(call.ctx, *repository, call.page());
  co_await call.reply(
      200, to_page(page, [](const auto& item) -> std::string_view { return item.id.str(); }));
}

Task<> create_tag(Call& call) {
  const auto creation = api::decode_tag_creation(call.body());
  const auto repository = co_await call.repository();
  if (creation.id.empty()) {
    throw Error(ErrorCode::invalid_argument, "argument tagID: required value: validation error");
  }
  const TagId id = require_tag(creation.id);
  const auto tag = co_await call.services.engine.create_tag(call.ctx, *repository, id, creation.ref,
                                                            creation.force);
  co_await call.reply(201, to_model(tag));
}

Task<> get_tag(Call& call) {
  const auto repository = co_await call.repository();
  const TagId id = call.tag();
  co_await call.reply(200,
                      to_model(co_await call.services.engine.get_tag(call.ctx, *repository, id)));
}

Task<> delete_tag(Call& call) {
  const auto repository = co_await call.repository();
  const TagId id = call.tag();
  co_await call.services.engine.delete_tag(call.ctx, *repository, id, call.params.flag("force"));
  co_await call.reply_empty(204);
}

}  // namespace tarn::rest
