#include "api/object_models.h"

#include <utility>

namespace tarn::api {

std::string_view to_string(PathType type) {
  switch (type) {
    case PathType::object: return "object";
    case PathType::common_prefix: return "common_prefix";
  }
  std::unreachable();
}

void write(JsonWriter& out, const ObjectStats& stats) {
  write(out, ObjectStatsView{.path = stats.path,
                             .path_type = stats.path_type,
                             .physical_address = stats.physical_address,
                             .physical_address_expiry = stats.physical_address_expiry,
                             .checksum = stats.checksum,
                             .mtime = stats.mtime,
                             .size_bytes = stats.size_bytes,
                             .content_type = stats.content_type,
                             .metadata = stats.metadata ? &*stats.metadata : nullptr});
}

void write(JsonWriter& out, const ObjectStatsView& stats) {
  out.begin_object();
  out.member("path", stats.path);
  out.member("path_type", to_string(stats.path_type));
  out.member("physical_address", stats.physical_address);
  out.member("physical_address_expiry", stats.physical_address_expiry);
  out.member("checksum", stats.checksum);
  out.member("mtime", stats.mtime);
  out.member("size_bytes", stats.size_bytes);
  out.member("content_type", stats.content_type);
  if (stats.metadata != nullptr) out.member("metadata", *stats.metadata);
  out.end_object();
}

void write(JsonWriter& out, const UnderlyingObjectProperties& properties) {
  out.begin_object();
  out.key("storage_class");
  if (properties.storage_class) {
    out.value(*properties.storage_class);
  } else {
    out.null();
  }
  out.end_object();
}

ObjectCopyCreation decode_object_copy_creation(JsonView body) {
  return {.src_path = body.text_of("src_path").value_or(""),
          .src_ref = body.text_of("src_ref"),
          .force = body.flag_of("force"),
          .shallow = body.flag_of("shallow")};
}

ObjectStageCreation decode_object_stage_creation(JsonView body) {
  return {.physical_address = body.text_of("physical_address").value_or(""),
          .checksum = body.text_of("checksum").value_or(""),
          .size_bytes = body.integer_of("size_bytes").value_or(0),
          .mtime = body.integer_of("mtime"),
          .metadata = body.map_of("metadata").value_or(std::map<std::string, std::string>()),
          .content_type = body.text_of("content_type").value_or(""),
          .force = body.flag_of("force")};
}

std::map<std::string, std::string> decode_update_object_user_metadata(JsonView body) {
  return body.map_of("set").value_or(std::map<std::string, std::string>());
}

std::vector<std::string> decode_path_list(JsonView body) {
  return body.texts_of("paths");
}

}  // namespace tarn::api
