// Whether the parts a client lists are the parts that are there, and what they add up to (A9.5).
// Pure.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "aws/checksum.h"
#include "aws/request_xml.h"
#include "aws/s3_error.h"
#include "catalog/catalog.h"

namespace tarn::s3gw {

struct Completion {
  std::vector<block::Part> parts;
  std::uint64_t size = 0;
  /// The object's checksum as shown, with "-N" if composite; empty without an algorithm, or when
  /// a part's checksum is not known (part copies).
  std::string checksum;
};

/// `stored` ascends by number. Every part but the last is at least `part_bytes_min`.
std::expected<Completion, aws::S3Error> check_parts(
    const catalog::MultipartUpload& upload, const std::vector<aws::CompletedPart>& listed,
    const std::vector<catalog::UploadedPart>& stored, std::uint64_t part_bytes_min);

/// The ETag an object made of these parts has; empty if one of them is no MD5.
std::string joined_etag(const std::vector<aws::CompletedPart>& listed);

}  // namespace tarn::s3gw
