// The one exception type. Absence and lost races are values, bad text is std::expected;
// everything else that ends an operation is thrown as Error and mapped to a protocol answer
// once, at the edge (rest/error_response.cc, s3gw/error_response.cc).
#pragma once

#include <cstdint>
#include <exception>
#include <source_location>
#include <string>
#include <string_view>

namespace tarn {

/// What went wrong, free of any protocol. The edges switch over it exhaustively: adding one
/// breaks their build until someone decides what a client sees.
enum class ErrorCode : std::uint8_t {
  invalid_argument,   // the caller's input; retrying the same request cannot help
  unauthenticated,    // who are you
  permission_denied,  // an authenticated principal lacks a permission
  protected_branch,   // branch protection forbids the write or the commit
  read_only,          // repository is read-only
  forbidden,          // the operation is refused whoever asks (default branch deletion, ...)
  repository_not_found,
  branch_not_found,
  tag_not_found,
  commit_not_found,
  object_not_found,
  upload_not_found,     // multipart upload
  not_found,            // anything else
  already_exists,       // "not unique"
  conflict,             // merge conflict, name taken by another kind of ref
  precondition_failed,  // If-Match and friends, lost conditional write
  dirty_branch,         // uncommitted changes where none may be
  no_changes,           // a commit or merge that would change nothing
  repository_in_deletion,
  data_missing,    // metadata is there, the object's bytes are not
  too_many_tries,  // optimistic retries exhausted
  throttled,       // a backend asked us to slow down
  unavailable,     // backend down, queue full, draining: may be retried
  deadline_exceeded,
  cancelled,
  too_large,     // a named limit of the request was passed
  storage_full,  // disk full or quota reached
  hook_aborted,
  not_implemented,
  corrupt,   // stored bytes do not parse or verify
  internal,  // our own bug or an unclassified failure
};

/// Stable snake_case name, for logs and metrics.
std::string_view to_string(ErrorCode code);

/// `message` is shown to clients: no paths, secrets or internals in it for codes below `corrupt`;
/// messages of corrupt and internal are logged and shown as they are to administrators only.
class Error : public std::exception {
 public:
  Error(ErrorCode code, std::string message,
        std::source_location where = std::source_location::current());

  ErrorCode code() const noexcept { return code_; }

  const std::string& message() const noexcept { return message_; }

  const std::source_location& where() const noexcept { return where_; }

  const char* what() const noexcept override { return message_.c_str(); }

 private:
  ErrorCode code_;
  std::string message_;
  std::source_location where_;
};

/// Text that did not parse or validate, for std::expected in synchronous code near the input.
struct ParseError {
  std::string message;
};

namespace detail {
[[noreturn]] void assert_failed(const char* expression, std::source_location where);
}  // namespace detail

}  // namespace tarn

/// Our own bug, checked in every build. User input can never trip it.
#define TARN_ASSERT(expression)        \
  ((expression) ? static_cast<void>(0) \
                : ::tarn::detail::assert_failed(#expression, std::source_location::current()))
