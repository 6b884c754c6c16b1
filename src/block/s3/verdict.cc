#include "block/s3/verdict.h"

#include <algorithm>
#include <array>

#include "base/format.h"

namespace tarn::block::s3 {

namespace {

template <std::size_t N>
bool is_one_of(std::string_view code, const std::array<std::string_view, N>& codes) {
  return std::ranges::find(codes, code) != codes.end();
}

constexpr std::array<std::string_view, 12> kTransient = {"InternalError",
                                                         "ServiceUnavailable",
                                                         "SlowDown",
                                                         "SlowDownRead",
                                                         "SlowDownWrite",
                                                         "RequestTimeout",
                                                         "OperationAborted",
                                                         "ThrottlingException",
                                                         "IncompleteBody",
                                                         "BadDigest",
                                                         "XAmzContentSHA256Mismatch",
                                                         "Throttling"};
constexpr std::array<std::string_view, 4> kExpired = {"ExpiredToken", "ExpiredTokenException",
                                                      "TokenRefreshRequired", "InvalidToken"};
constexpr std::array<std::string_view, 4> kElsewhere = {
    "PermanentRedirect", "AuthorizationHeaderMalformed", "TemporaryRedirect",
    "IllegalLocationConstraintException"};
constexpr std::array<std::string_view, 10> kCallersFault = {
    "InvalidURI",   "InvalidPart",     "InvalidPartOrder",  "EntityTooSmall",    "MalformedXML",
    "NoSuchBucket", "KeyTooLongError", "InvalidBucketName", "InvalidPartNumber", "InvalidArgument"};

ErrorCode code_of(std::uint16_t status, std::string_view code) {
  if (code == "NoSuchUpload") return ErrorCode::upload_not_found;
  if (is_one_of(code, kCallersFault)) return ErrorCode::invalid_argument;
  if (code == "EntityTooLarge") return ErrorCode::too_large;
  if (code == "XMinioStorageFull" || code == "InsufficientStorage" || status == 507) {
    return ErrorCode::storage_full;
  }
  if (code.starts_with("SlowDown") || status == 429) return ErrorCode::throttled;
  if (status == 412) return ErrorCode::precondition_failed;
  if (status == 416) return ErrorCode::invalid_argument;
  return ErrorCode::unavailable;
}

}  // namespace

Verdict judge(std::uint16_t status, std::string_view code, bool names_region) {
  if (status >= 200 && status < 300 && code.empty()) return Verdict::answer;
  if (is_one_of(code, kExpired)) return Verdict::new_keys;
  const bool redirected = status == 301 || status == 307 || status == 400;
  if (names_region && redirected && (code.empty() || is_one_of(code, kElsewhere))) {
    return Verdict::other_region;
  }
  if (is_one_of(code, kTransient)) return Verdict::repeat;
  if (status == 500 || status == 502 || status == 503 || status == 504 || status == 429 ||
      status == 408) {
    return Verdict::repeat;
  }
  return Verdict::answer;
}

Error refusal(std::string_view what, std::uint16_t status, std::string_view code) {
  const std::string reason = code.empty() ? format("status {}", status) : std::string(code);
  return Error(code_of(status, code), format("object store refused {}: {}", what, reason));
}

}  // namespace tarn::block::s3
