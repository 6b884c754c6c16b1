// What an operator chooses about the S3 backend.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace tarn::block {

struct S3Config {
  std::string endpoint;  // "http[s]://host[:port]"; empty = AWS
  std::string region = "us-east-1";
  bool force_path_style = false;
  bool discover_bucket_region = true;
  std::string server_side_encryption;             // "", "AES256" or "aws:kms"
  std::string server_side_encryption_kms_key_id;  // empty = the bucket's
  std::uint32_t max_retries = 5;                  // after the first attempt
  /// Longest silence of the service within a request, and how long after the first attempt the
  /// last one may begin: a request fails within twice that.
  std::chrono::milliseconds response_timeout{30'000};
  /// The same where the service works before it answers: copies, and the end of an upload.
  std::chrono::milliseconds work_timeout{60'000};
  std::chrono::milliseconds backoff_first{50};  // bound of the first wait; doubles
  std::chrono::milliseconds backoff_max{5'000};
  std::size_t part_bytes = 8 * 1024 * 1024;  // of a body; larger bodies go as multipart uploads
  std::size_t parts_at_once = 4;             // of one body
  std::size_t part_buffers = 64;             // of part_bytes each, over all bodies
  std::size_t streamed_part_bytes = 16 * 1024 * 1024;  // a client's part beyond it is streamed
  std::uint64_t copy_part_bytes = 1ULL << 30;
  std::uint64_t copy_whole_bytes_max = 5ULL << 30;  // beyond it, copied in parts
  bool presign = true;
  bool presign_ui = false;
  bool presign_multipart = true;
  std::chrono::seconds presign_expiry{900};
  std::string presign_endpoint;  // for URLs handed out; empty = endpoint
  bool log_retries = false;
  std::string default_namespace_prefix;
};

}  // namespace tarn::block
