// S3's additional checksums: names, values, and the sums of multipart objects (A10).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/payload.h"
#include "aws/s3_error.h"
#include "aws/signed_request.h"
#include "base/hash.h"

namespace tarn::aws {

enum class ChecksumAlgorithm { crc32, crc32c, crc64nvme, sha1, sha256 };

inline constexpr std::array kChecksumAlgorithms = {
    ChecksumAlgorithm::crc32, ChecksumAlgorithm::crc32c, ChecksumAlgorithm::crc64nvme,
    ChecksumAlgorithm::sha1, ChecksumAlgorithm::sha256};

std::string_view to_string(ChecksumAlgorithm algorithm);     // "CRC32"
std::string_view header_name(ChecksumAlgorithm algorithm);   // "x-amz-checksum-crc32"
std::string_view element_name(ChecksumAlgorithm algorithm);  // "ChecksumCRC32"
std::size_t digest_bytes(ChecksumAlgorithm algorithm);

/// By name ("CRC32", any case).
std::optional<ChecksumAlgorithm> find_checksum_algorithm(std::string_view name);
/// By header, trailer or query name, any case.
std::optional<ChecksumAlgorithm> find_checksum_header(std::string_view name);

/// COMPOSITE is a checksum of the parts' checksums; FULL_OBJECT one of the content.
enum class ChecksumType { composite, full_object };

std::string_view to_string(ChecksumType type);  // "COMPOSITE"
std::optional<ChecksumType> find_checksum_type(std::string_view name);
/// What an algorithm gives for multipart uploads when the client names no type.
ChecksumType default_checksum_type(ChecksumAlgorithm algorithm);
bool allows(ChecksumAlgorithm algorithm, ChecksumType type);

/// Base64 of exactly the algorithm's size, as raw bytes; InvalidRequest otherwise.
std::expected<std::string, S3Error> parse_checksum_value(ChecksumAlgorithm algorithm,
                                                         std::string_view base64);

/// A checksum a request promises for its body.
struct RequestChecksum {
  ChecksumAlgorithm algorithm;
  std::string expected;  // raw; empty when the trailer will bring it
};

/// Reads x-amz-checksum-*, x-amz-trailer and x-amz-sdk-checksum-algorithm together; nullopt when
/// the request promises none.
std::expected<std::optional<RequestChecksum>, S3Error> parse_request_checksum(
    const SignedRequest& request, const Payload& payload);

/// The promise's raw value among the trailers a ChunkedDecoder found.
std::expected<std::string, S3Error> find_trailer_checksum(
    ChecksumAlgorithm algorithm, const std::vector<std::pair<std::string, std::string>>& trailers);

/// BadDigest, naming both values in base64.
S3Error checksum_mismatch(ChecksumAlgorithm algorithm, std::string_view expected,
                          std::string_view computed);

/// Content-MD5: 16 raw bytes; InvalidDigest otherwise, also for an empty value.
std::expected<std::string, S3Error> parse_content_md5(std::string_view base64);

/// A checksum over bytes as they pass. finish() returns raw bytes and starts over.
class RunningChecksum {
 public:
  explicit RunningChecksum(ChecksumAlgorithm algorithm);

  ChecksumAlgorithm algorithm() const noexcept { return algorithm_; }

  void update(std::string_view bytes);
  std::string finish();

 private:
  ChecksumAlgorithm algorithm_;
  std::uint64_t crc_ = 0;
  std::optional<Hasher> hasher_;
};

std::string checksum_of(ChecksumAlgorithm algorithm, std::string_view bytes);

/// Checksum of the parts' raw checksums; shown as base64 "-" part count.
std::string composite_checksum(ChecksumAlgorithm algorithm, std::span<const std::string> parts);

/// CRC of a||b from the CRC of each and b's length. The algorithm must be a CRC.
std::string combine_checksums(ChecksumAlgorithm algorithm, std::string_view a, std::string_view b,
                              std::uint64_t b_bytes);

}  // namespace tarn::aws
