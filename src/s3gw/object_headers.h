// Header fields that are kept with an object, and how entries hold them (A13). User metadata has
// the reference's key form "X-Amz-Meta-name"; content headers, which the reference drops, stand
// under "::tarn::name", a form that no client can send. Pure.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/request_xml.h"
#include "aws/s3_error.h"
#include "s3gw/call.h"
#include "versioning/types.h"

namespace tarn::s3gw {

inline constexpr std::string_view kTaggingKey = "::tarn::tagging";
inline constexpr std::string_view kStorageClassKey = "::tarn::storage-class";

/// What PutObject, CopyObject and CreateMultipartUpload keep of the request's headers.
std::expected<versioning::Metadata, aws::S3Error> stored_metadata(const HeaderViews& headers);

/// Encryption keys, locks and the like, which must not be ignored: NotImplemented by name.
std::expected<void, aws::S3Error> check_write_headers(const HeaderViews& headers);

using HeaderFields = std::vector<std::pair<std::string, std::string>>;

/// The fields a read shows: content headers, storage class, tag count, user metadata.
HeaderFields shown_headers(const versioning::Metadata& metadata);

std::string_view storage_class_of(const versioning::Metadata& metadata);  // "STANDARD", ...
aws::Tags tags_of(const versioning::Metadata& metadata);
void set_tags(versioning::Metadata& metadata, const aws::Tags& tags);

}  // namespace tarn::s3gw
