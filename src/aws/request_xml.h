// Parsers of the XML documents that S3 requests carry. Hostile input: no DTD, no entities but the
// predefined ones, bounded size, depth and counts. Namespaces, element order, unknown elements and
// indentation do not matter. Anything else is MalformedXML.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/checksum.h"
#include "aws/s3_error.h"

namespace tarn::aws {

inline constexpr std::size_t kXmlBytesMax = std::size_t{1} << 20;
inline constexpr std::size_t kCompleteXmlBytesMax = std::size_t{2} << 20;
inline constexpr std::size_t kDeleteObjectsMax = 1'000;
inline constexpr std::uint32_t kPartNumberMax = 10'000;
inline constexpr std::size_t kTagsMax = 10;

struct ObjectToDelete {
  std::string key;  // exactly as sent
  std::optional<std::string> version_id;
  std::optional<std::string> etag;  // without quotes
  std::optional<std::string> last_modified;
  std::optional<std::uint64_t> size;
};

struct DeleteRequest {
  bool quiet = false;
  std::vector<ObjectToDelete> objects;  // 1..1000
};

std::expected<DeleteRequest, S3Error> parse_delete(std::string_view body);

struct CompletedPart {
  std::uint32_t number = 0;
  std::string etag;                                                  // without quotes, lower-case
  std::vector<std::pair<ChecksumAlgorithm, std::string>> checksums;  // raw
};

/// Part numbers are in range and strictly ascending.
std::expected<std::vector<CompletedPart>, S3Error> parse_complete_upload(std::string_view body);

/// The LocationConstraint of CreateBucket; empty for an empty body or element.
std::expected<std::string, S3Error> parse_create_bucket(std::string_view body);

using Tags = std::vector<std::pair<std::string, std::string>>;

/// At most ten, keys unique, lengths in characters; InvalidTag otherwise.
std::expected<Tags, S3Error> parse_tagging(std::string_view body);
/// The x-amz-tagging header: "k=v&k2=v2", form-encoded.
std::expected<Tags, S3Error> parse_tagging_header(std::string_view value);

/// An ETag as clients write it: quotes (also a weak "W/" mark) off, hex in lower case.
std::string normalize_etag(std::string_view text);

}  // namespace tarn::aws
