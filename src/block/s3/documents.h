// S3's XML answers, and the two documents we send. Pure; answers are hostile until parsed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "block/object_store.h"

namespace tarn::block::s3 {

inline constexpr std::size_t kDocumentBytesMax = 8 * 1024 * 1024;

struct ErrorDocument {
  std::string code;    // empty: no error document
  std::string region;  // where the bucket is, if it says so
};

ErrorDocument find_error(std::string_view xml);

struct ListDocument {
  std::vector<ListedObject> objects;  // `address` is the whole key
  bool truncated = false;
  std::string next;  // continuation token
};

/// ListBucketResult of ListObjectsV2 with encoding-type=url.
std::expected<ListDocument, ParseError> parse_list(std::string_view xml);
/// UploadId of InitiateMultipartUploadResult.
std::expected<std::string, ParseError> parse_upload_id(std::string_view xml);
/// ETag of a Complete, Copy or CopyPart result, without quotes.
std::expected<std::string, ParseError> parse_etag(std::string_view xml);

struct PartsDocument {
  std::vector<PartInfo> parts;
  bool truncated = false;
};

std::expected<PartsDocument, ParseError> parse_parts(std::string_view xml);

/// The body of CompleteMultipartUpload.
std::string complete_document(const std::vector<Part>& parts);

/// Whether XML 1.0 can carry the key: it has no way to write most control characters.
bool is_xml_text(std::string_view key);
/// The body of DeleteObjects, which is to answer with failures only; each key is_xml_text().
std::string delete_document(const std::vector<std::string>& keys);
/// The Code of each key of a DeleteResult that was not removed.
std::expected<std::vector<std::string>, ParseError> parse_delete_failures(std::string_view xml);

/// Quotes and a weak mark taken off.
std::string plain_etag(std::string_view etag);
/// 32 hex digits: the MD5 of the bytes, where nothing encrypts.
bool is_md5_etag(std::string_view etag);

}  // namespace tarn::block::s3
