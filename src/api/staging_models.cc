#include "api/staging_models.h"

namespace tarn::api {

void write(JsonWriter& out, const StagingLocation& location) {
  out.begin_object();
  out.member("physical_address", location.physical_address);
  out.key("presigned_url");
  if (location.presigned_url) {
    out.value(*location.presigned_url);
  } else {
    out.null();
  }
  out.end_object();
}

StagingMetadata decode_staging_metadata(JsonView body) {
  const auto staging = body.find("staging");
  return {
      .physical_address = staging ? staging->text_of("physical_address").value_or("") : "",
      .checksum = body.text_of("checksum").value_or(""),
      .size_bytes = body.integer_of("size_bytes").value_or(0),
      .user_metadata = body.map_of("user_metadata").value_or(std::map<std::string, std::string>()),
      .content_type = body.text_of("content_type").value_or(""),
      .mtime = body.integer_of("mtime"),
      .force = body.flag_of("force")};
}

}  // namespace tarn::api
