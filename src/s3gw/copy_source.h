// The x-amz-copy-source and x-amz-copy-source-range headers (A8.3, A9.4). Pure.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "aws/s3_error.h"
#include "block/object_store.h"
#include "s3gw/address.h"

namespace tarn::s3gw {

struct CopySource {
  std::string bucket;
  ObjectKey key;
  std::string version;  // "" = none
};

/// Percent sequences are decoded, a '+' is a plus; the version is cut off before decoding.
std::expected<CopySource, aws::S3Error> parse_copy_source(std::string_view value);

/// "bytes=a-b" with both ends, and nothing else.
std::expected<block::ByteRange, aws::S3Error> parse_copy_range(std::string_view value);

}  // namespace tarn::s3gw
