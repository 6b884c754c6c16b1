#include "aws/s3_error.h"

#include <array>

#include "aws/xml_writer.h"

namespace tarn::aws {

namespace {

struct Row {
  S3ErrorCode code;
  unsigned status;
  std::string_view name;
  std::string_view message;
};

using enum S3ErrorCode;

// In the order of the enumeration, which the lookup relies on and checks when it is compiled.
constexpr auto kCatalogue = std::to_array<Row>({
    {access_control_list_not_supported, 400, "AccessControlListNotSupported",
     "The bucket does not allow ACLs."},
    {access_denied, 403, "AccessDenied", "Access Denied."},
    {access_forbidden, 403, "AccessForbidden", "CORSResponse: This CORS request is not allowed."},
    {authorization_header_malformed, 400, "AuthorizationHeaderMalformed",
     "The authorization header is malformed."},
    {authorization_query_parameters_error, 400, "AuthorizationQueryParametersError",
     "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, "
     "X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters."},
    {bad_digest, 400, "BadDigest",
     "The digest or checksum you specified did not match what was received."},
    {bucket_already_exists, 409, "BucketAlreadyExists",
     "The requested bucket name is not available."},
    {bucket_already_owned_by_you, 409, "BucketAlreadyOwnedByYou",
     "The bucket you tried to create already exists, and you own it."},
    {bucket_not_empty, 409, "BucketNotEmpty", "The bucket you tried to delete is not empty."},
    {conditional_request_conflict, 409, "ConditionalRequestConflict",
     "A conflicting operation happened during this request; try again."},
    {entity_too_large, 400, "EntityTooLarge",
     "Your proposed upload exceeds the maximum allowed size."},
    {entity_too_small, 400, "EntityTooSmall",
     "Your proposed upload is smaller than the minimum allowed size."},
    {err_no_such_bucket_possible_api_endpoint, 404, "ErrNoSuchBucketPossibleAPIEndpoint",
     "The specified bucket does not exist. Is this request meant for the API endpoint?"},
    {err_read_only_repository, 403, "ErrReadOnlyRepository", "The repository is read-only."},
    {err_write_to_protected_branch, 403, "ErrWriteToProtectedBranch",
     "The branch is protected against writing."},
    {expired_token, 400, "ExpiredToken", "The provided token has expired."},
    {incomplete_body, 400, "IncompleteBody",
     "The request body is not what its headers and framing promised."},
    {insufficient_storage, 507, "InsufficientStorage", "There is no room left to store this."},
    {internal_error, 500, "InternalError", "We encountered an internal error. Please try again."},
    {invalid_access_key_id, 403, "InvalidAccessKeyId",
     "The access key ID you provided does not exist in our records."},
    {invalid_argument, 400, "InvalidArgument", "Invalid argument."},
    {invalid_bucket_name, 400, "InvalidBucketName", "The specified bucket is not valid."},
    {invalid_chunk_size, 400, "InvalidChunkSizeError",
     "Only the last chunk may be smaller than 8192 bytes."},
    {invalid_digest, 400, "InvalidDigest", "The Content-MD5 you specified is not valid."},
    {invalid_location_constraint, 400, "InvalidLocationConstraint",
     "The specified location constraint is not valid."},
    {invalid_part, 400, "InvalidPart",
     "One or more of the specified parts could not be found, or its entity tag or checksum does "
     "not match."},
    {invalid_part_number, 416, "InvalidPartNumber",
     "The requested part number is not satisfiable."},
    {invalid_part_order, 400, "InvalidPartOrder",
     "The list of parts was not in ascending order by part number."},
    {invalid_policy_document, 400, "InvalidPolicyDocument",
     "The form's policy document is not valid."},
    {invalid_range, 416, "InvalidRange", "The requested range is not satisfiable."},
    {invalid_request, 400, "InvalidRequest", "Invalid request."},
    {invalid_storage_class, 400, "InvalidStorageClass",
     "The storage class you specified is not valid."},
    {invalid_tag, 400, "InvalidTag", "The tag provided was not a valid tag."},
    {invalid_token, 400, "InvalidToken", "The provided token is not valid."},
    {invalid_uri, 400, "InvalidURI", "Could not parse the specified URI."},
    {key_too_long, 400, "KeyTooLongError", "Your key is too long."},
    {malformed_post_request, 400, "MalformedPOSTRequest",
     "The body of your POST request is not well-formed multipart/form-data."},
    {malformed_trailer, 400, "MalformedTrailerError",
     "The request's trailer does not match its x-amz-trailer header."},
    {malformed_xml, 400, "MalformedXML",
     "The XML you provided was not well-formed or did not validate."},
    {metadata_too_large, 400, "MetadataTooLarge",
     "Your metadata headers exceed the maximum allowed metadata size."},
    {method_not_allowed, 405, "MethodNotAllowed",
     "The specified method is not allowed against this resource."},
    {missing_content_length, 411, "MissingContentLength",
     "You must provide the length of the content."},
    {no_such_bucket, 404, "NoSuchBucket", "The specified bucket does not exist."},
    {no_such_bucket_policy, 404, "NoSuchBucketPolicy", "The bucket policy does not exist."},
    {no_such_cors_configuration, 404, "NoSuchCORSConfiguration",
     "The CORS configuration does not exist."},
    {no_such_key, 404, "NoSuchKey", "The specified key does not exist."},
    {no_such_lifecycle_configuration, 404, "NoSuchLifecycleConfiguration",
     "The lifecycle configuration does not exist."},
    {no_such_object_lock_configuration, 404, "NoSuchObjectLockConfiguration",
     "The object does not have an object lock configuration."},
    {no_such_public_access_block_configuration, 404, "NoSuchPublicAccessBlockConfiguration",
     "The public access block configuration does not exist."},
    {no_such_replication_configuration, 404, "ReplicationConfigurationNotFoundError",
     "The replication configuration does not exist."},
    {no_such_tag_set, 404, "NoSuchTagSet", "There is no tag set associated with the bucket."},
    {no_such_upload, 404, "NoSuchUpload",
     "The specified multipart upload does not exist. It may have been aborted or completed."},
    {no_such_version, 404, "NoSuchVersion", "The specified version does not exist."},
    {no_such_website_configuration, 404, "NoSuchWebsiteConfiguration",
     "The bucket does not have a website configuration."},
    {not_implemented, 501, "NotImplemented",
     "A header or parameter you provided implies functionality that is not implemented."},
    {not_modified, 304, "NotModified", "Not modified."},
    {object_lock_configuration_not_found, 404, "ObjectLockConfigurationNotFoundError",
     "Object lock configuration does not exist for this bucket."},
    {ownership_controls_not_found, 404, "OwnershipControlsNotFoundError",
     "The bucket ownership controls were not found."},
    {permanent_redirect, 301, "PermanentRedirect",
     "The bucket must be addressed at another endpoint."},
    {precondition_failed, 412, "PreconditionFailed",
     "At least one of the preconditions you specified did not hold."},
    {request_header_section_too_large, 400, "RequestHeaderSectionTooLarge",
     "Your request's headers exceed the maximum allowed size."},
    {request_time_too_skewed, 403, "RequestTimeTooSkewed",
     "The difference between the request time and the server's time is too large."},
    {request_timeout, 400, "RequestTimeout",
     "Your connection was not read from or written to within the timeout period."},
    {server_side_encryption_configuration_not_found, 404,
     "ServerSideEncryptionConfigurationNotFoundError",
     "The server side encryption configuration was not found."},
    {service_unavailable, 503, "ServiceUnavailable", "Please try again later."},
    {signature_does_not_match, 403, "SignatureDoesNotMatch",
     "The request signature we calculated does not match the signature you provided. Check your "
     "key and signing method."},
    {slow_down, 503, "SlowDown", "Please reduce your request rate."},
    {x_amz_content_sha256_mismatch, 400, "XAmzContentSHA256Mismatch",
     "The provided 'x-amz-content-sha256' header does not match what was computed."},
});

constexpr bool is_in_order() {
  for (std::size_t i = 0; i < kCatalogue.size(); ++i) {
    if (static_cast<std::size_t>(kCatalogue[i].code) != i) return false;
  }
  return static_cast<std::size_t>(x_amz_content_sha256_mismatch) + 1 == kCatalogue.size();
}

static_assert(is_in_order());

const Row& row_of(S3ErrorCode code) {
  return kCatalogue[static_cast<std::size_t>(code)];
}

// For the layers between a body stream and the gateway, which know only tarn's own codes.
ErrorCode plain_code(S3ErrorCode code) {
  const unsigned status = http_status(code);
  if (status == 403) return ErrorCode::permission_denied;
  if (status == 404) return ErrorCode::not_found;
  if (status == 412) return ErrorCode::precondition_failed;
  if (status == 501) return ErrorCode::not_implemented;
  return status >= 500 ? ErrorCode::internal : ErrorCode::invalid_argument;
}

void element_unless_empty(XmlWriter& xml, std::string_view name, std::string_view text) {
  if (!text.empty()) xml.element(name, text);
}

}  // namespace

std::string_view to_string(S3ErrorCode code) {
  return row_of(code).name;
}

unsigned http_status(S3ErrorCode code) {
  return row_of(code).status;
}

std::string_view default_message(S3ErrorCode code) {
  return row_of(code).message;
}

S3Failure::S3Failure(S3Error error, std::source_location where)
    : Error(plain_code(error.code), std::string(error.text()), where), error_(std::move(error)) {}

std::string error_document(const S3Error& error, const ErrorScene& scene) {
  XmlWriter xml("Error", "");
  xml.element("Code", to_string(error.code));
  xml.element("Message", error.text());
  const auto has_detail = [&](std::string_view name) {
    for (const auto& detail : error.details) {
      if (detail.first == name) return true;
    }
    return false;
  };
  if (!has_detail("Key")) element_unless_empty(xml, "Key", scene.key);
  if (!has_detail("BucketName")) element_unless_empty(xml, "BucketName", scene.bucket);
  for (const auto& [name, value] : error.details)
    xml.element(name, value);
  element_unless_empty(xml, "Resource", scene.resource);
  if (!has_detail("Region")) element_unless_empty(xml, "Region", scene.region);
  element_unless_empty(xml, "RequestId", scene.request_id);
  element_unless_empty(xml, "HostId", scene.host_id);
  return xml.finish();
}

}  // namespace tarn::aws
