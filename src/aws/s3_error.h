// The S3 error catalogue: every code the gateway answers with, its status and its default text.
#pragma once

#include <cstdint>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace tarn::aws {

enum class S3ErrorCode : std::uint8_t {
  access_control_list_not_supported,
  access_denied,
  access_forbidden,
  authorization_header_malformed,
  authorization_query_parameters_error,
  bad_digest,
  bucket_already_exists,
  bucket_already_owned_by_you,
  bucket_not_empty,
  conditional_request_conflict,
  entity_too_large,
  entity_too_small,
  err_no_such_bucket_possible_api_endpoint,
  err_read_only_repository,
  err_write_to_protected_branch,
  expired_token,
  incomplete_body,
  insufficient_storage,
  internal_error,
  invalid_access_key_id,
  invalid_argument,
  invalid_bucket_name,
  invalid_chunk_size,
  invalid_digest,
  invalid_location_constraint,
  invalid_part,
  invalid_part_number,
  invalid_part_order,
  invalid_policy_document,
  invalid_range,
  invalid_request,
  invalid_storage_class,
  invalid_tag,
  invalid_token,
  invalid_uri,
  key_too_long,
  malformed_post_request,
  malformed_trailer,
  malformed_xml,
  metadata_too_large,
  method_not_allowed,
  missing_content_length,
  no_such_bucket,
  no_such_bucket_policy,
  no_such_cors_configuration,
  no_such_key,
  no_such_lifecycle_configuration,
  no_such_object_lock_configuration,
  no_such_public_access_block_configuration,
  no_such_replication_configuration,
  no_such_tag_set,
  no_such_upload,
  no_such_version,
  no_such_website_configuration,
  not_implemented,
  not_modified,
  object_lock_configuration_not_found,
  ownership_controls_not_found,
  permanent_redirect,
  precondition_failed,
  request_header_section_too_large,
  request_time_too_skewed,
  request_timeout,
  server_side_encryption_configuration_not_found,
  service_unavailable,
  signature_does_not_match,
  slow_down,
  x_amz_content_sha256_mismatch,
};

/// The text of the Code element: "NoSuchKey".
std::string_view to_string(S3ErrorCode code);
unsigned http_status(S3ErrorCode code);
std::string_view default_message(S3ErrorCode code);

/// An answer that ends a request. `details` become extra elements of the document, in order.
struct S3Error {
  S3ErrorCode code;
  std::string message = {};  // empty: default_message(code)
  std::vector<std::pair<std::string, std::string>> details = {};

  std::string_view text() const { return message.empty() ? default_message(code) : message; }
};

/// An S3Error as an exception, for where a body stream must fail: it passes through layers that
/// know only tarn::Error and arrives at the gateway with its own code.
class S3Failure final : public Error {
 public:
  explicit S3Failure(S3Error error, std::source_location where = std::source_location::current());

  const S3Error& error() const noexcept { return error_; }

 private:
  S3Error error_;
};

/// What the document says about the request; empty members are left out.
struct ErrorScene {
  std::string_view resource = {};  // the request path
  std::string_view bucket = {};
  std::string_view key = {};
  std::string_view region = {};
  std::string_view request_id = {};
  std::string_view host_id = {};
};

/// The whole body of an error answer (application/xml). HEAD and 304 answers have none.
std::string error_document(const S3Error& error, const ErrorScene& scene);

}  // namespace tarn::aws
