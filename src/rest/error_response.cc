#include "rest/error_response.h"

#include <utility>

namespace tarn::rest {

std::uint16_t status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_argument: return 400;
    case ErrorCode::unauthenticated: return 401;
    case ErrorCode::permission_denied: return 401;  // 403 is for the refusals below
    case ErrorCode::protected_branch: return 403;
    case ErrorCode::read_only: return 403;
    case ErrorCode::forbidden: return 403;
    case ErrorCode::repository_not_found: return 404;
    case ErrorCode::branch_not_found: return 404;
    case ErrorCode::tag_not_found: return 404;
    case ErrorCode::commit_not_found: return 404;
    case ErrorCode::object_not_found: return 404;
    case ErrorCode::upload_not_found: return 404;
    case ErrorCode::not_found: return 404;
    case ErrorCode::already_exists: return 409;
    case ErrorCode::conflict: return 409;
    case ErrorCode::precondition_failed: return 412;
    case ErrorCode::dirty_branch: return 400;
    case ErrorCode::no_changes: return 400;
    case ErrorCode::repository_in_deletion: return 410;
    case ErrorCode::data_missing: return 410;
    case ErrorCode::too_many_tries: return 429;
    case ErrorCode::throttled: return 503;
    case ErrorCode::unavailable: return 503;
    case ErrorCode::deadline_exceeded: return 503;
    case ErrorCode::cancelled: return 499;
    case ErrorCode::too_large: return 413;
    case ErrorCode::storage_full: return 507;
    case ErrorCode::hook_aborted: return 412;
    case ErrorCode::not_implemented: return 501;
    case ErrorCode::corrupt: return 500;
    case ErrorCode::internal: return 500;
  }
  std::unreachable();
}

ErrorAnswer answer_for(const Error& error, bool to_administrator) {
  ErrorAnswer answer{.status = status_of(error.code()), .message = error.message()};
  // Where clients match on a text it is fixed, whoever threw.
  switch (error.code()) {
    case ErrorCode::unauthenticated: answer.message = "error authenticating request"; break;
    case ErrorCode::repository_in_deletion: answer.message = "repository in deletion"; break;
    case ErrorCode::data_missing: answer.message = "No data"; break;
    case ErrorCode::too_many_tries: answer.message = "Too many attempts, try again later"; break;
    case ErrorCode::throttled: answer.message = "Throughput exceeded. Slow down and retry"; break;
    case ErrorCode::corrupt:
    case ErrorCode::internal:
      if (!to_administrator) answer.message = "internal server error";
      break;
    default: break;
  }
  return answer;
}

}  // namespace tarn::rest
