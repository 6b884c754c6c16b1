#include "aws/post_policy.h"

#include "aws/aws_date.h"
#include "base/bytes.h"
#include "base/hash.h"

namespace tarn::aws {

namespace {

std::unexpected<S3Error> refuse(S3ErrorCode code, std::string_view message) {
  return std::unexpected(S3Error{.code = code, .message = std::string(message)});
}

}  // namespace

std::expected<PolicyAuth, S3Error> parse_policy_auth(const PolicyFields& fields,
                                                     const SigV4Policy& policy) {
  if (fields.policy.empty()) return refuse(S3ErrorCode::access_denied, "The form has no policy.");
  if (fields.algorithm.empty() && fields.credential.empty()) {
    if (fields.access_key.empty() || fields.signature.empty()) {
      return refuse(S3ErrorCode::access_denied, "The form's policy is not signed.");
    }
    return PolicyAuth{.v2 = true, .access_key = std::string(fields.access_key), .scope = {}};
  }
  if (fields.algorithm != "AWS4-HMAC-SHA256") {
    return refuse(S3ErrorCode::invalid_argument,
                  "x-amz-algorithm only supports \"AWS4-HMAC-SHA256\".");
  }
  // A form's credential has the grammar of a header's: let the one reader of it judge.
  const std::string authorization =
      "AWS4-HMAC-SHA256 Credential=" + std::string(fields.credential) +
      ", SignedHeaders=host, Signature=" + std::string(fields.signature);
  const SignedRequest stand_in{
      .method = "GET",
      .raw_path = "/",
      .raw_query = {},
      .headers = {{"authorization", authorization}, {"x-amz-date", fields.date}}};
  auto auth = parse_sigv4(stand_in, Scheme::v4_header, policy);
  if (!auth) return refuse(S3ErrorCode::invalid_argument, auth.error().text());
  return PolicyAuth{
      .v2 = false, .access_key = std::move(auth->access_key), .scope = std::move(auth->scope)};
}

std::expected<void, S3Error> verify_policy(const PolicyFields& fields, const PolicyAuth& auth,
                                           std::string_view secret) {
  const std::string expected = auth.v2 ? to_base64(hmac_sha1(secret, fields.policy))
                                       : SigningKey(secret, auth.scope).sign(fields.policy);
  if (equal_constant_time(expected, fields.signature)) return {};
  return std::unexpected(
      S3Error{.code = S3ErrorCode::signature_does_not_match,
              .details = {{"AWSAccessKeyId", auth.access_key},
                          {"StringToSign", std::string(fields.policy)},
                          {"SignatureProvided", std::string(fields.signature)}}});
}

}  // namespace tarn::aws
