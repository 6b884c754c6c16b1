#include "rest/presigned_listing.h"

#include "api/object_models.h"
#include "base/error.h"
#include "io/sync.h"
#include "rest/models.h"
#include "rest/permissions.h"

namespace tarn::rest {

namespace {

constexpr std::size_t kUrlsBetweenYields = 64;

bool may_read(const Call& call, std::string_view path) {
  const auth::Authority& authority = call.services.authority;
  if (authority.may_everything(call.principal)) return true;
  try {
    authority.authorize(call.principal,
                        {object_permission("fs:ReadObject", call.params.text("repository"), path)});
  } catch (const Error& error) {
    if (error.code() != ErrorCode::permission_denied) throw;
    return false;
  }
  return true;
}

Task<api::ObjectStats> to_stats(Call& call, const versioning::Repository& repository,
                                const catalog::ListItem& item) {
  if (item.is_prefix) {
    co_return api::ObjectStats{.path = item.path, .path_type = api::PathType::common_prefix};
  }
  catalog::Catalog& catalog = call.services.catalog;
  auto stats = to_model(item.path, item.entry, catalog.display_address(repository, item.entry));
  if (stats.metadata->empty() || !call.params.flag("user_metadata")) stats.metadata.reset();
  if (may_read(call, item.path)) {
    auto url = co_await catalog.presign_read(call.ctx, repository, item.path, item.entry);
    stats.physical_address = std::move(url.url);
    stats.physical_address_expiry = url.expires.seconds;
  }
  co_return stats;
}

}  // namespace

Task<> list_presigned(Call& call, const versioning::Repository& repository) {
  const auto listing = co_await call.services.catalog.list(
      call.ctx, repository, require_ref(call.params.text("ref")), call.list_params());
  api::PageWriter page(listing.items.size());
  for (const catalog::ListItem& item : listing.items) {
    page.add(co_await to_stats(call, repository, item));
    if (page.count() % kUrlsBetweenYields == 0) co_await io::yield();
  }
  const std::string_view last =
      listing.items.empty() ? std::string_view() : listing.items.back().path;
  co_await call.reply_json(200, page.finish(listing.has_more, last));
}

}  // namespace tarn::rest
