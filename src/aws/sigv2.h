// Verification of Signature Version 2, header and presigned form: still what boto3 presigns with.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "aws/s3_error.h"
#include "aws/signed_request.h"
#include "base/time.h"

namespace tarn::aws {

struct SigV2 {
  bool presigned = false;
  std::string access_key;
  std::string signature;          // base64, as sent
  Timestamp time;                 // header form: x-amz-date or Date
  std::string expires;            // presigned: the decimal text that was signed
  std::int64_t expires_at_s = 0;  // presigned: seconds since the epoch
  std::string session_token;      // empty when none was sent
};

std::expected<SigV2, S3Error> parse_sigv2(const SignedRequest& request, Scheme scheme);

/// Checks the clock, then the signature. `virtual_bucket` is the bucket a virtual-host style
/// request names by its host, else empty. V2 protects no body.
std::expected<void, S3Error> verify_sigv2(const SignedRequest& request, const SigV2& auth,
                                          std::string_view secret, std::string_view virtual_bucket,
                                          Timestamp now);

/// Which query names take part in the resource. Clients disagree.
enum class SubresourceList { standard, extended, brief };

struct SigV2Input {
  std::string_view virtual_bucket = {};
  std::string_view date = {};  // line 4: Date, Expires, or empty beside x-amz-date
  SubresourceList subresources = SubresourceList::standard;
  bool presigned = false;  // header values may also stand in the query
};

std::string string_to_sign_v2(const SignedRequest& request, const SigV2Input& input);

}  // namespace tarn::aws
