#include "base/error.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

namespace tarn {

std::string_view to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_argument: return "invalid_argument";
    case ErrorCode::unauthenticated: return "unauthenticated";
    case ErrorCode::permission_denied: return "permission_denied";
    case ErrorCode::protected_branch: return "protected_branch";
    case ErrorCode::read_only: return "read_only";
    case ErrorCode::forbidden: return "forbidden";
    case ErrorCode::repository_not_found: return "repository_not_found";
    case ErrorCode::branch_not_found: return "branch_not_found";
    case ErrorCode::tag_not_found: return "tag_not_found";
    case ErrorCode::commit_not_found: return "commit_not_found";
    case ErrorCode::object_not_found: return "object_not_found";
    case ErrorCode::upload_not_found: return "upload_not_found";
    case ErrorCode::not_found: return "not_found";
    case ErrorCode::already_exists: return "already_exists";
    case ErrorCode::conflict: return "conflict";
    case ErrorCode::precondition_failed: return "precondition_failed";
    case ErrorCode::dirty_branch: return "dirty_branch";
    case ErrorCode::no_changes: return "no_changes";
    case ErrorCode::repository_in_deletion: return "repository_in_deletion";
    case ErrorCode::data_missing: return "data_missing";
    case ErrorCode::too_many_tries: return "too_many_tries";
    case ErrorCode::throttled: return "throttled";
    case ErrorCode::unavailable: return "unavailable";
    case ErrorCode::deadline_exceeded: return "deadline_exceeded";
    case ErrorCode::cancelled: return "cancelled";
    case ErrorCode::too_large: return "too_large";
    case ErrorCode::storage_full: return "storage_full";
    case ErrorCode::hook_aborted: return "hook_aborted";
    case ErrorCode::not_implemented: return "not_implemented";
    case ErrorCode::corrupt: return "corrupt";
    case ErrorCode::internal: return "internal";
  }
  std::unreachable();
}

Error::Error(ErrorCode code, std::string message, std::source_location where)
    : code_(code), message_(std::move(message)), where_(where) {}

void detail::assert_failed(const char* expression, std::source_location where) {
  std::fprintf(stderr, "%s:%u: %s: assertion failed: %s\n", where.file_name(),
               static_cast<unsigned>(where.line()), where.function_name(), expression);
  std::abort();
}

}  // namespace tarn
