// Objects: their description, and what copies, stages and deletes them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/json_reader.h"
#include "api/json_writer.h"

namespace tarn::api {

enum class PathType : std::uint8_t { object, common_prefix };

std::string_view to_string(PathType type);

/// Of a common prefix only path is filled.
struct ObjectStats {
  std::string path;
  PathType path_type = PathType::object;
  std::string physical_address;
  std::optional<std::int64_t> physical_address_expiry;  // Unix seconds; of a presigned URL
  std::string checksum;
  std::int64_t mtime = 0;  // Unix seconds
  std::optional<std::int64_t> size_bytes;
  std::optional<std::string> content_type;
  std::optional<std::map<std::string, std::string>> metadata;
};

/// The same for who has the parts elsewhere: written without a copy of any.
struct ObjectStatsView {
  std::string_view path;
  PathType path_type = PathType::object;
  std::string_view physical_address;
  std::optional<std::int64_t> physical_address_expiry;
  std::string_view checksum;
  std::int64_t mtime = 0;
  std::optional<std::int64_t> size_bytes;
  std::optional<std::string_view> content_type;
  const std::map<std::string, std::string>* metadata = nullptr;  // null = left out
};

/// What the backing store says beyond the entry; storage_class may be unknown.
struct UnderlyingObjectProperties {
  std::optional<std::string> storage_class;
};

struct ObjectCopyCreation {
  std::string src_path;
  std::optional<std::string> src_ref;
  bool force = false;
  bool shallow = false;
};

struct ObjectStageCreation {
  std::string physical_address, checksum;
  std::int64_t size_bytes = 0;
  std::optional<std::int64_t> mtime;
  std::map<std::string, std::string> metadata;
  std::string content_type;
  bool force = false;
};

void write(JsonWriter& out, const ObjectStats& stats);
void write(JsonWriter& out, const ObjectStatsView& stats);
void write(JsonWriter& out, const UnderlyingObjectProperties& properties);

ObjectCopyCreation decode_object_copy_creation(JsonView body);
ObjectStageCreation decode_object_stage_creation(JsonView body);
std::map<std::string, std::string> decode_update_object_user_metadata(JsonView body);
std::vector<std::string> decode_path_list(JsonView body);

}  // namespace tarn::api
