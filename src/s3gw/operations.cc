#include "s3gw/operations.h"

#include <algorithm>
#include <optional>
#include <string>

#include "s3gw/handlers.h"

namespace tarn::s3gw {

namespace {

using aws::S3Error;
using aws::S3ErrorCode;

constexpr auto kService = Level::service;
constexpr auto kBucket = Level::bucket;
constexpr auto kKey = Level::key;

constexpr Permission kReadRepository = needs({{"fs:ReadRepository", On::repository}});
constexpr Permission kListing = needs({{"fs:ListObjects", On::listing}});
constexpr Permission kReadObject = needs({{"fs:ReadObject", On::object}});
constexpr Permission kWriteObject = needs({{"fs:WriteObject", On::object}});
constexpr Permission kDeleteObject = needs({{"fs:DeleteObject", On::object}});
constexpr Permission kCopyObject =
    needs({{"fs:ReadObject", On::source}, {"fs:WriteObject", On::object}});

constexpr std::string_view kReadParameters =
    "versionId partNumber response-content-type response-content-language "
    "response-content-disposition response-content-encoding response-cache-control "
    "response-expires";
constexpr std::string_view kListParameters =
    "prefix delimiter marker max-keys encoding-type start-after continuation-token fetch-owner "
    "list-type";

// clang-format off
constexpr Operation kOperations[] = {
    // --- service ---
    {"ListBuckets", "GET", kService, "", "prefix max-buckets continuation-token bucket-region",
     per_item({{"fs:ListRepositories", On::everything}}), list_buckets},

    // --- buckets ---
    {"CreateBucket", "PUT", kBucket, "", "", needs({{"fs:CreateRepository", On::repository}}),
     create_bucket},
    {"HeadBucket", "HEAD", kBucket, "", "", kReadRepository, head_bucket},
    {"DeleteBucket", "DELETE", kBucket, "", S3ErrorCode::method_not_allowed},
    {"PostObject", "POST", kBucket, "", S3ErrorCode::not_implemented},
    {"ListObjects", "GET", kBucket, "", kListParameters, kListing, list_objects},
    {"ListObjectsV2", "GET", kBucket, "list-type", kListParameters, kListing, list_objects},
    {"ListObjectVersions", "GET", kBucket, "versions",
     "prefix delimiter key-marker version-id-marker max-keys encoding-type", kListing,
     list_object_versions},
    {"ListMultipartUploads", "GET", kBucket, "uploads",
     "prefix delimiter key-marker upload-id-marker max-uploads encoding-type",
     needs({{"fs:ListObjects", On::repository}}), list_uploads},
    {"DeleteObjects", "POST", kBucket, "delete", "",
     per_item({{"fs:DeleteObject", On::object}}), delete_objects},
    {"GetBucketAcl", "GET", kBucket, "acl", "", kReadRepository, get_bucket_acl},
    {"PutBucketAcl", "PUT", kBucket, "acl", "",
     needs({{"fs:UpdateRepository", On::repository}}), put_bucket_acl},
    {"GetBucketLocation", "GET", kBucket, "location", "", kReadRepository, get_bucket_setting},
    {"GetBucketVersioning", "GET", kBucket, "versioning", "", kReadRepository, get_bucket_setting},
    {"GetBucketPolicy", "GET", kBucket, "policy", "", kReadRepository, get_bucket_setting},
    {"GetBucketPolicyStatus", "GET", kBucket, "policyStatus", "", kReadRepository,
     get_bucket_setting},
    {"GetBucketCors", "GET", kBucket, "cors", "", kReadRepository, get_bucket_setting},
    {"GetBucketLifecycleConfiguration", "GET", kBucket, "lifecycle", "", kReadRepository,
     get_bucket_setting},
    {"GetBucketEncryption", "GET", kBucket, "encryption", "", kReadRepository, get_bucket_setting},
    {"GetBucketWebsite", "GET", kBucket, "website", "", kReadRepository, get_bucket_setting},
    {"GetBucketTagging", "GET", kBucket, "tagging", "", kReadRepository, get_bucket_setting},
    {"GetBucketReplication", "GET", kBucket, "replication", "", kReadRepository,
     get_bucket_setting},
    {"GetObjectLockConfiguration", "GET", kBucket, "object-lock", "", kReadRepository,
     get_bucket_setting},
    {"GetPublicAccessBlock", "GET", kBucket, "publicAccessBlock", "", kReadRepository,
     get_bucket_setting},
    {"GetBucketOwnershipControls", "GET", kBucket, "ownershipControls", "", kReadRepository,
     get_bucket_setting},
    {"GetBucketLogging", "GET", kBucket, "logging", "", kReadRepository, get_bucket_setting},
    {"GetBucketNotificationConfiguration", "GET", kBucket, "notification", "", kReadRepository,
     get_bucket_setting},
    {"GetBucketAccelerateConfiguration", "GET", kBucket, "accelerate", "", kReadRepository,
     get_bucket_setting},
    {"GetBucketRequestPayment", "GET", kBucket, "requestPayment", "", kReadRepository,
     get_bucket_setting},
    {"ListBucketAnalyticsConfigurations", "GET", kBucket, "analytics", "id continuation-token",
     kReadRepository, get_bucket_setting},
    {"ListBucketInventoryConfigurations", "GET", kBucket, "inventory", "id continuation-token",
     kReadRepository, get_bucket_setting},
    {"ListBucketMetricsConfigurations", "GET", kBucket, "metrics", "id continuation-token",
     kReadRepository, get_bucket_setting},
    {"ListBucketIntelligentTieringConfigurations", "GET", kBucket, "intelligent-tiering",
     "id continuation-token", kReadRepository, get_bucket_setting},

    // --- objects ---
    {"GetObject", "GET", kKey, "", kReadParameters, kReadObject, get_object},
    {"HeadObject", "HEAD", kKey, "", kReadParameters, kReadObject, get_object},
    {"PutObject", "PUT", kKey, "", "", kWriteObject, put_object, Copying::no},
    {"CopyObject", "PUT", kKey, "", "", kCopyObject, copy_object, Copying::yes},
    {"DeleteObject", "DELETE", kKey, "", "versionId", kDeleteObject, delete_object},
    {"GetObjectAttributes", "GET", kKey, "attributes", "versionId", kReadObject,
     get_object_attributes},
    {"GetObjectTagging", "GET", kKey, "tagging", "versionId", kReadObject, get_object_tagging},
    {"PutObjectTagging", "PUT", kKey, "tagging", "versionId", kWriteObject, put_object_tagging},
    {"DeleteObjectTagging", "DELETE", kKey, "tagging", "versionId", kWriteObject,
     delete_object_tagging},
    {"GetObjectAcl", "GET", kKey, "acl", "versionId", kReadObject, get_object_acl},
    {"PutObjectAcl", "PUT", kKey, "acl", "versionId", kWriteObject, put_object_acl},
    {"GetObjectRetention", "GET", kKey, "retention", "versionId", kReadObject, get_object_lock},
    {"GetObjectLegalHold", "GET", kKey, "legal-hold", "versionId", kReadObject, get_object_lock},

    // --- multipart uploads ---
    {"CreateMultipartUpload", "POST", kKey, "uploads", "", kWriteObject, create_upload},
    {"UploadPart", "PUT", kKey, "uploadId", "partNumber", kWriteObject, upload_part, Copying::no},
    {"UploadPartCopy", "PUT", kKey, "uploadId", "partNumber", kCopyObject, upload_part_copy,
     Copying::yes},
    {"CompleteMultipartUpload", "POST", kKey, "uploadId", "", kWriteObject, complete_upload},
    {"AbortMultipartUpload", "DELETE", kKey, "uploadId", "", kDeleteObject, abort_upload},
    {"ListParts", "GET", kKey, "uploadId", "max-parts part-number-marker encoding-type",
     kReadObject, list_parts},
};
// clang-format on

bool knows(std::string_view names, std::string_view name) {
  while (!names.empty()) {
    const auto space = names.find(' ');
    if (names.substr(0, space) == name) return true;
    if (space == std::string_view::npos) return false;
    names.remove_prefix(space + 1);
  }
  return false;
}

bool fits(const Operation& row, const Question& question) {
  if (row.method != question.method || row.level != question.level) return false;
  return row.copying == Copying::either || (row.copying == Copying::yes) == question.copies;
}

const Operation* pick(const Question& question) {
  const Operation* plain = nullptr;
  for (const Operation& row : kOperations) {
    if (!fits(row, question)) continue;
    if (row.subresource.empty()) {
      plain = &row;
    } else if (aws::find_item(question.query, row.subresource) != nullptr) {
      return &row;
    }
  }
  return plain;
}

S3Error not_implemented(std::string_view what) {
  constexpr std::size_t kShownBytesMax = 128;
  return {.code = S3ErrorCode::not_implemented,
          .message = "Not implemented: " + std::string(what.substr(0, kShownBytesMax))};
}

}  // namespace

std::span<const Operation> operations() {
  return kOperations;
}

bool is_universal_parameter(std::string_view name) {
  return name == "x-id" || name == "AWSAccessKeyId" || name == "Signature" || name == "Expires" ||
         aws::starts_with_ignoring_case(name, "x-amz-");
}

std::expected<const Operation*, S3Error> find_operation(const Question& question) {
  const Operation* row = pick(question);
  for (const aws::QueryItem& item : question.query) {
    if (is_universal_parameter(item.name)) continue;
    if (row != nullptr && (item.name == row->subresource || knows(row->parameters, item.name))) {
      continue;
    }
    if (item.name == "partNumber" && question.method == "PUT") {
      return std::unexpected(S3Error{.code = S3ErrorCode::invalid_argument,
                                     .message = "partNumber goes with uploadId.",
                                     .details = {{"ArgumentName", "partNumber"}}});
    }
    return std::unexpected(not_implemented("?" + item.name));
  }
  if (row == nullptr) return std::unexpected(S3Error{.code = S3ErrorCode::method_not_allowed});
  if (row->handler == nullptr) {
    if (row->refusal != S3ErrorCode::not_implemented) {
      return std::unexpected(S3Error{.code = row->refusal});
    }
    return std::unexpected(not_implemented(row->name));
  }
  return row;
}

}  // namespace tarn::s3gw
