#include "api/config_models.h"

namespace tarn::api {

void write(JsonWriter& out, const StorageConfig& config) {
  out.begin_object();
  out.member("blockstore_id", "");
  out.member("blockstore_description", "");
  out.member("blockstore_type", config.blockstore_type);
  out.member("blockstore_namespace_example", config.blockstore_namespace_example);
  out.member("blockstore_namespace_ValidityRegex", config.blockstore_namespace_validity_regex);
  out.member("default_namespace_prefix", config.default_namespace_prefix);
  out.member("pre_sign_support", config.pre_sign_support);
  out.member("pre_sign_support_ui", config.pre_sign_support_ui);
  out.member("import_support", config.import_support);
  out.member("import_validity_regex", config.import_validity_regex);
  out.member("pre_sign_multipart_upload", config.pre_sign_multipart_upload);
  out.end_object();
}

void write(JsonWriter& out, const VersionConfig& config) {
  out.begin_object();
  out.member("version", config.version);
  // lakectl warns about any other context.
  out.member("version_context", "lakeFS");
  out.end_object();
}

void write(JsonWriter& out, const Config& config) {
  out.begin_object();
  out.key("storage_config");
  write(out, config.storage);
  // Filled only with more than one store.
  out.key("storage_config_list");
  out.begin_array();
  out.end_array();
  out.key("version_config");
  write(out, config.version);
  out.key("ui_config");
  out.begin_object();
  out.end_object();
  out.key("capabilities_config");
  out.begin_object();
  out.end_object();
  out.end_object();
}

void write(JsonWriter& out, const GarbageCollectionConfig& config) {
  out.begin_object();
  out.member("grace_period", config.grace_period);
  out.end_object();
}

void write(JsonWriter& out, const InstallationUsageReport& report) {
  out.begin_object();
  out.member("installation_id", report.installation_id);
  out.key("reports");
  out.begin_array();
  out.end_array();
  out.end_object();
}

std::vector<StatsEvent> decode_stats_events(JsonView body) {
  std::vector<StatsEvent> events;
  if (const auto list = body.find("events")) {
    for (const JsonView item : list->items()) {
      events.push_back({.event_class = item.text_of("class").value_or(""),
                        .name = item.text_of("name").value_or(""),
                        .count = item.integer_of("count").value_or(0)});
    }
  }
  return events;
}

}  // namespace tarn::api
