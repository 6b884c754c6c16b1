#include "s3gw/error_response.h"

namespace tarn::s3gw {

using aws::S3Error;
using aws::S3ErrorCode;

S3ErrorCode s3_code_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_argument: return S3ErrorCode::invalid_argument;
    case ErrorCode::unauthenticated: return S3ErrorCode::access_denied;
    case ErrorCode::permission_denied: return S3ErrorCode::access_denied;
    case ErrorCode::protected_branch: return S3ErrorCode::err_write_to_protected_branch;
    case ErrorCode::read_only: return S3ErrorCode::err_read_only_repository;
    case ErrorCode::forbidden: return S3ErrorCode::access_denied;
    case ErrorCode::repository_not_found: return S3ErrorCode::no_such_bucket;
    case ErrorCode::branch_not_found: return S3ErrorCode::no_such_bucket;
    case ErrorCode::tag_not_found: return S3ErrorCode::no_such_key;
    case ErrorCode::commit_not_found: return S3ErrorCode::no_such_key;
    case ErrorCode::object_not_found: return S3ErrorCode::no_such_key;
    case ErrorCode::upload_not_found: return S3ErrorCode::no_such_upload;
    case ErrorCode::not_found: return S3ErrorCode::no_such_key;
    case ErrorCode::already_exists: return S3ErrorCode::bucket_already_exists;
    case ErrorCode::conflict: return S3ErrorCode::conditional_request_conflict;
    case ErrorCode::precondition_failed: return S3ErrorCode::precondition_failed;
    case ErrorCode::dirty_branch: return S3ErrorCode::invalid_request;
    case ErrorCode::no_changes: return S3ErrorCode::invalid_request;
    case ErrorCode::repository_in_deletion: return S3ErrorCode::no_such_bucket;
    case ErrorCode::data_missing: return S3ErrorCode::internal_error;  // data loss: no client error
    case ErrorCode::too_many_tries: return S3ErrorCode::conditional_request_conflict;
    case ErrorCode::throttled: return S3ErrorCode::slow_down;
    case ErrorCode::unavailable: return S3ErrorCode::service_unavailable;
    case ErrorCode::deadline_exceeded: return S3ErrorCode::service_unavailable;  // ours, not theirs
    case ErrorCode::cancelled: return S3ErrorCode::incomplete_body;
    case ErrorCode::too_large: return S3ErrorCode::entity_too_large;
    case ErrorCode::storage_full: return S3ErrorCode::insufficient_storage;
    case ErrorCode::hook_aborted: return S3ErrorCode::precondition_failed;
    case ErrorCode::not_implemented: return S3ErrorCode::not_implemented;
    case ErrorCode::corrupt: return S3ErrorCode::internal_error;
    case ErrorCode::internal: return S3ErrorCode::internal_error;
  }
  std::unreachable();
}

S3Error s3_error_of(const Error& error) {
  if (const auto* failure = dynamic_cast<const aws::S3Failure*>(&error)) return failure->error();
  S3Error answer{.code = s3_code_of(error.code())};
  if (answer.code != S3ErrorCode::internal_error) answer.message = error.message();
  return answer;
}

void refuse(S3ErrorCode code, std::string message,
            std::vector<std::pair<std::string, std::string>> details) {
  refuse(S3Error{.code = code, .message = std::move(message), .details = std::move(details)});
}

void refuse_argument(std::string_view name, std::string_view value, std::string message) {
  constexpr std::size_t kShownBytesMax = 256;
  refuse(S3ErrorCode::invalid_argument, std::move(message),
         {{"ArgumentName", std::string(name)},
          {"ArgumentValue", std::string(value.substr(0, kShownBytesMax))}});
}

void refuse(S3Error error) {
  throw aws::S3Failure(std::move(error));
}

}  // namespace tarn::s3gw
