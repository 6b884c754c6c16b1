// Signatures of browser form uploads (B7): the policy's base64 text is what is signed.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "aws/s3_error.h"
#include "aws/sigv4.h"
#include "base/time.h"

namespace tarn::aws {

/// The form's fields as sent; an absent one is empty.
struct PolicyFields {
  std::string_view policy;      // base64
  std::string_view algorithm;   // x-amz-algorithm
  std::string_view credential;  // x-amz-credential
  std::string_view date;        // x-amz-date
  std::string_view signature;   // x-amz-signature, or V2's signature
  std::string_view access_key;  // V2's AWSAccessKeyId
};

struct PolicyAuth {
  bool v2 = false;
  std::string access_key;
  std::string scope;  // V4 only
};

/// Whose key is needed.
std::expected<PolicyAuth, S3Error> parse_policy_auth(const PolicyFields& fields,
                                                     const SigV4Policy& policy = {});
std::expected<void, S3Error> verify_policy(const PolicyFields& fields, const PolicyAuth& auth,
                                           std::string_view secret);

}  // namespace tarn::aws
