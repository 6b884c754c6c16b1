// The one place where Tarn's errors become S3's.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/s3_error.h"
#include "base/error.h"

namespace tarn::s3gw {

aws::S3ErrorCode s3_code_of(ErrorCode code);

/// An S3Failure's own error; otherwise code and message, the message of internal ones left out.
aws::S3Error s3_error_of(const Error& error);

/// Ends the operation with this answer.
[[noreturn]] void refuse(aws::S3ErrorCode code, std::string message = {},
                         std::vector<std::pair<std::string, std::string>> details = {});
/// InvalidArgument, naming the argument.
[[noreturn]] void refuse_argument(std::string_view name, std::string_view value,
                                  std::string message);
[[noreturn]] void refuse(aws::S3Error error);

/// The value, or the answer that says why there is none.
template <class Expected>
auto require(Expected&& expected) {
  if (!expected) refuse(std::move(expected.error()));
  if constexpr (!std::is_void_v<typename std::remove_cvref_t<Expected>::value_type>) {
    return *std::forward<Expected>(expected);
  }
}

}  // namespace tarn::s3gw
