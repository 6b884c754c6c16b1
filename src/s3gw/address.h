// What a request names: service, bucket or key, by path or by host (s3-gateway.md A1, A2). Pure.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "aws/s3_error.h"

namespace tarn::s3gw {

enum class Level : std::uint8_t { service, bucket, key };

struct Target {
  Level level = Level::service;
  bool virtual_host = false;
  std::string bucket;
  std::string key;  // the whole S3 key, decoded; not empty at level key

  friend bool operator==(const Target&, const Target&) = default;
};

/// `host` is the Host header as sent, `raw_path` still percent-encoded; `domains` are lower-case.
/// Refuses broken escapes, and hosts with more than one label before a domain.
std::expected<Target, aws::S3Error> parse_target(std::string_view host, std::string_view raw_path,
                                                 const std::vector<std::string>& domains);

/// A key cut at its first '/': before it a reference, behind it the object's path.
struct ObjectKey {
  std::string ref;
  bool has_path = false;  // there was a '/': "main/" against "main"
  std::string path;

  friend bool operator==(const ObjectKey&, const ObjectKey&) = default;
};

ObjectKey split_key(std::string_view key);

/// The path's length, encoding and bytes as every object operation demands them (A2.2).
std::expected<void, aws::S3Error> check_path(std::string_view path);

}  // namespace tarn::s3gw
