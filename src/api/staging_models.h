// Bytes a client writes to the store itself: where, and what became of them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "api/json_reader.h"
#include "api/json_writer.h"

namespace tarn::api {

struct StagingLocation {
  std::string physical_address;
  std::optional<std::string> presigned_url;  // written as null when there is none
};

struct StagingMetadata {
  std::string physical_address;  // of its "staging"
  std::string checksum;
  std::int64_t size_bytes = 0;
  std::map<std::string, std::string> user_metadata;
  std::string content_type;
  std::optional<std::int64_t> mtime;
  bool force = false;
};

void write(JsonWriter& out, const StagingLocation& location);

StagingMetadata decode_staging_metadata(JsonView body);

}  // namespace tarn::api
