// What clients ask about the server before they work with it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "api/json_reader.h"
#include "api/json_writer.h"

namespace tarn::api {

struct StorageConfig {
  std::string blockstore_type;
  std::string blockstore_namespace_example;
  std::string blockstore_namespace_validity_regex;  // "blockstore_namespace_ValidityRegex"
  std::string default_namespace_prefix;
  bool pre_sign_support = false;
  bool pre_sign_support_ui = false;
  bool import_support = false;
  std::string import_validity_regex;
  bool pre_sign_multipart_upload = false;
};

struct VersionConfig {
  std::string version;
};

struct Config {
  StorageConfig storage;
  VersionConfig version;
};

struct GarbageCollectionConfig {
  std::int64_t grace_period = 0;  // seconds
};

struct InstallationUsageReport {
  std::string installation_id;  // monthly counts are not kept: always an empty list
};

struct StatsEvent {
  std::string event_class, name;
  std::int64_t count = 0;
};

void write(JsonWriter& out, const StorageConfig& config);
void write(JsonWriter& out, const VersionConfig& config);
void write(JsonWriter& out, const Config& config);
void write(JsonWriter& out, const GarbageCollectionConfig& config);
void write(JsonWriter& out, const InstallationUsageReport& report);

std::vector<StatsEvent> decode_stats_events(JsonView body);

}  // namespace tarn::api
