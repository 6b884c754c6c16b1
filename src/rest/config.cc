// What clients ask before they work: storage, version, usage (lakefs-http-behaviour.md 10).
#include "api/config_models.h"
#include "base/error.h"
#include "rest/handlers.h"

namespace tarn::rest {

namespace {

constexpr std::int64_t kGraceSeconds = 24 * 3600;

api::StorageConfig storage_config(const Services& services) {
  const block::StoreInfo& store = services.catalog.store_info();
  const std::string& prefix = services.config.default_namespace_prefix;
  return {.blockstore_type = store.type,
          .blockstore_namespace_example = store.namespace_example,
          .blockstore_namespace_validity_regex = store.namespace_regex,
          .default_namespace_prefix = prefix.empty() ? store.default_namespace_prefix : prefix,
          .pre_sign_support = store.presign_support,
          .pre_sign_support_ui = store.presign_support_ui,
          .import_support = store.import_support,
          .import_validity_regex = store.namespace_regex,
          .pre_sign_multipart_upload = store.presign_multipart_support};
}

void check(const api::StatsEvent& event) {
  const auto refuse = [](const char* text) {
    throw Error(ErrorCode::invalid_argument, std::string("invalid value: ") + text);
  };
  if (event.event_class.empty()) refuse("class is required");
  if (event.name.empty()) refuse("name is required");
  if (event.count < 0) refuse("count must be a non-negative integer");
}

}  // namespace

Task<> get_config(Call& call) {
  return call.reply(200, api::Config{.storage = storage_config(call.services),
                                     .version = {.version = call.services.config.version}});
}

Task<> get_storage_config(Call& call) {
  return call.reply(200, storage_config(call.services));
}

Task<> get_version(Call& call) {
  return call.reply(200, api::VersionConfig{.version = call.services.config.version});
}

Task<> get_garbage_collection_config(Call& call) {
  return call.reply(200, api::GarbageCollectionConfig{.grace_period = kGraceSeconds});
}

Task<> post_stats_events(Call& call) {
  // Checked as clients expect, then dropped: this server reports to nobody.
  for (const auto& event : api::decode_stats_events(call.body()))
    check(event);
  return call.reply_empty(204);
}

Task<> get_usage_report_summary(Call& call) {
  const std::string& id = call.services.authority.installation_id();
  if (call.request.header("Accept") == "text/plain") {
    return call.reply_text(200, "Usage for installation ID: " + id + "\n");
  }
  return call.reply(200, api::InstallationUsageReport{.installation_id = id});
}

}  // namespace tarn::rest
