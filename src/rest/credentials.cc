// A user's own access keys (lakefs-http-behaviour.md 9.3).
#include <algorithm>

#include "base/error.h"
#include "rest/handlers.h"
#include "rest/models.h"

namespace tarn::rest {

Task<> list_user_credentials(Call& call) {
  const auto all =
      co_await call.services.authority.list_credentials(call.ctx, call.params.text("userId"));
  const versioning::PageRequest wanted = call.page();
  versioning::Page<auth::Credential> page;
  for (const auto& credential : all) {
    const std::string& id = credential.access_key_id;
    if (!id.starts_with(wanted.prefix) || (!wanted.after.empty() && id <= wanted.after)) continue;
    page.has_more = page.items.size() == wanted.amount;
    if (page.has_more) break;
    page.items.push_back(credential);
  }
  auto model =
      to_page(page, [](const auto& item) -> std::string_view { return item.access_key_id; });
  model.pagination.max_per_page = 0;
  co_await call.reply(200, model);
}

Task<> create_credentials(Call& call) {
  const std::string& username = call.params.text("userId");
  if (!co_await call.services.authority.find_user(call.ctx, username)) {
    throw Error(ErrorCode::not_found, "not found");
  }
  const auto secret = co_await call.services.authority.create_credentials(call.ctx, username);
  co_await call.reply(201, to_model(secret));
}

Task<> get_credentials(Call& call) {
  const auto all =
      co_await call.services.authority.list_credentials(call.ctx, call.params.text("userId"));
  const auto found =
      std::ranges::find(all, call.params.text("accessKeyId"), &auth::Credential::access_key_id);
  if (found == all.end()) throw Error(ErrorCode::not_found, "credentials not found");
  co_await call.reply(200, to_model(*found));
}

Task<> delete_credentials(Call& call) {
  const bool deleted = co_await call.services.authority.delete_credentials(
      call.ctx, call.params.text("userId"), call.params.text("accessKeyId"));
  if (!deleted) throw Error(ErrorCode::not_found, "credentials not found");
  co_await call.reply_empty(204);
}

}  // namespace tarn::rest
