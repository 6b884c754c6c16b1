// Bytes a client writes to the store itself: where, and what became of them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "api/json_reader.h"
#include "api/json_writer.h"

namespace tarn::api {

struct StagingLocation {
  std::string physical_address;
  std::optional<std::string> presigned_url;          // written as null when there is none
  std::optional<std::int64_t> presigned_url_expiry;  // Unix seconds
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

struct PresignMultipartUpload {
  std::string upload_id, physical_address;
  std::vector<std::string> presigned_urls;  // left out when there are none
};

struct UploadTo {
  std::string presigned_url;
};

struct UploadedPartName {
  std::int64_t part_number = 0;
  std::string etag;
};

struct CompletePresignMultipartUpload {
  std::string physical_address;
  std::vector<UploadedPartName> parts;
  std::map<std::string, std::string> user_metadata;
  std::string content_type;
};

/// Where a part is copied from.
struct CopyPartSource {
  std::string repository, ref, path;
  std::optional<std::string> range;  // "bytes=0-9"
};

void write(JsonWriter& out, const StagingLocation& location);
void write(JsonWriter& out, const PresignMultipartUpload& upload);
void write(JsonWriter& out, const UploadTo& to);

StagingMetadata decode_staging_metadata(JsonView body);
CompletePresignMultipartUpload decode_complete_presign_multipart_upload(JsonView body);
/// Of the body of uploadPartCopy.
CopyPartSource decode_copy_part_source(JsonView body);

}  // namespace tarn::api
