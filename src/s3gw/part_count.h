// Part numbers, and what an ETag tells of an object's parts. Pure.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>

#include "aws/s3_error.h"

namespace tarn::s3gw {

/// 1..10'000, else InvalidArgument.
std::expected<std::uint32_t, aws::S3Error> parse_part_number(std::string_view text);

/// The N of a multipart object's ETag "…-N"; nullopt for other objects.
std::optional<std::uint32_t> part_count_of(std::string_view etag);

}  // namespace tarn::s3gw
