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
  out.member("presigned_url_expiry", location.presigned_url_expiry);
  out.end_object();
}

void write(JsonWriter& out, const PresignMultipartUpload& upload) {
  out.begin_object();
  out.member("upload_id", upload.upload_id);
  out.member("physical_address", upload.physical_address);
  if (!upload.presigned_urls.empty()) {
    out.key("presigned_urls");
    out.begin_array();
    for (const std::string& url : upload.presigned_urls)
      out.value(url);
    out.end_array();
  }
  out.end_object();
}

void write(JsonWriter& out, const UploadTo& to) {
  out.begin_object();
  out.member("presigned_url", to.presigned_url);
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

CompletePresignMultipartUpload decode_complete_presign_multipart_upload(JsonView body) {
  CompletePresignMultipartUpload upload{
      .physical_address = body.text_of("physical_address").value_or(""),
      .user_metadata = body.map_of("user_metadata").value_or(std::map<std::string, std::string>()),
      .content_type = body.text_of("content_type").value_or("")};
  if (const auto parts = body.find("parts")) {
    for (const JsonView part : parts->items()) {
      upload.parts.push_back({.part_number = part.integer_of("part_number").value_or(0),
                              .etag = part.text_of("etag").value_or("")});
    }
  }
  return upload;
}

CopyPartSource decode_copy_part_source(JsonView body) {
  const auto source = body.find("copy_source");
  if (!source) return {};
  return {.repository = source->text_of("repository").value_or(""),
          .ref = source->text_of("ref").value_or(""),
          .path = source->text_of("path").value_or(""),
          .range = source->text_of("range")};
}

}  // namespace tarn::api
