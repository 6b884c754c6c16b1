// Requests that claim a signature, in every form, header and presigned; and that what our own
// signer makes of any request verifies.
#include <set>

#include "aws/canonical.h"
#include "aws/checksum.h"
#include "aws/post_policy.h"
#include "aws/sigv2.h"
#include "aws/sigv4.h"
#include "aws/test_requests.h"
#include "base/error.h"
#include "testing/fuzz.h"

namespace tarn::fuzz {

namespace {

using aws::testing::kAwsExample;
using aws::testing::kAwsTime;
using aws::testing::OwnedRequest;

/// A method, path and query on a line each, then headers ("name:value").
OwnedRequest read_request(std::string_view input) {
  OwnedRequest request;
  request.method = take_until(input, '\n');
  request.path = take_until(input, '\n');
  request.query = take_until(input, '\n');
  while (!input.empty()) {
    std::string_view line = take_until(input, '\n');
    const std::string_view name = take_until(line, ':');
    request.headers.emplace_back(name, line);
  }
  return request;
}

void check_v4(const aws::SignedRequest& request, aws::Scheme scheme) {
  static aws::SigningKeyCache keys;
  const auto auth = aws::parse_sigv4(request, scheme);
  if (!auth) return;
  TARN_ASSERT(!auth->region.empty() && auth->signature.size() == 64);
  TARN_ASSERT(auth->expires_s >= 0 && auth->expires_s <= 604'800);
  const auto verdict = aws::verify_sigv4(request, *auth, kAwsExample.secret_key, auth->time, keys);
  if (!verdict) TARN_ASSERT(aws::http_status(verdict.error().code) < 500);
  if (const auto payload = aws::parse_payload(request, auth->payload_hash)) {
    static_cast<void>(aws::parse_request_checksum(request, *payload));
  }
}

void check_claim(const aws::SignedRequest& request) {
  const auto scheme = aws::find_scheme(request);
  if (!scheme) return;
  switch (*scheme) {
    case aws::Scheme::anonymous: return;
    case aws::Scheme::v4_header:
    case aws::Scheme::v4_query: check_v4(request, *scheme); return;
    case aws::Scheme::v2_header:
    case aws::Scheme::v2_query: break;
  }
  const auto auth = aws::parse_sigv2(request, *scheme);
  if (!auth) return;
  static_cast<void>(
      aws::verify_sigv2(request, *auth, kAwsExample.secret_key, "bucket", auth->time));
}

bool is_plain_name(std::string_view name) {
  return !name.empty() &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz-") == std::string_view::npos;
}

/// Without what the signer itself adds, or what no client would send twice.
OwnedRequest signable(OwnedRequest request) {
  std::set<std::string, std::less<>> seen = {"host", "authorization", "date"};
  std::erase_if(request.headers, [&](const auto& field) {
    return !is_plain_name(field.first) || field.first.starts_with("x-amz-") ||
           !seen.insert(field.first).second;
  });
  request.headers.emplace_back("host", "example.test");
  return request;
}

void check_own_signatures(OwnedRequest request) {
  if (aws::find_scheme(request.view()) != aws::Scheme::anonymous) return;
  static aws::SigningKeyCache keys;
  const auto verify = [](const OwnedRequest& sent, aws::Scheme scheme) {
    const auto view = sent.view();
    TARN_ASSERT(aws::find_scheme(view) == scheme);
    const auto auth = aws::parse_sigv4(view, scheme);
    TARN_ASSERT(auth.has_value());
    return aws::verify_sigv4(view, *auth, kAwsExample.secret_key, kAwsTime, keys).has_value();
  };
  OwnedRequest presigned = request;
  presigned.query =
      aws::presign_query(request.view(), kAwsExample, {.region = "us-east-1"}, 60, kAwsTime);
  TARN_ASSERT(verify(presigned, aws::Scheme::v4_query));
  const auto sent =
      aws::testing::sign(std::move(request), kAwsExample, aws::kEmptyPayloadHash, kAwsTime);
  TARN_ASSERT(verify(sent, aws::Scheme::v4_header));
}

void check_policy(std::string_view input) {
  aws::PolicyFields fields;
  fields.policy = take_until(input, '\n');
  fields.algorithm = take_until(input, '\n');
  fields.credential = take_until(input, '\n');
  fields.date = take_until(input, '\n');
  fields.signature = take_until(input, '\n');
  fields.access_key = input;
  const auto auth = aws::parse_policy_auth(fields);
  if (auth) static_cast<void>(aws::verify_policy(fields, *auth, kAwsExample.secret_key));
}

}  // namespace

void run(std::string_view input) {
  const OwnedRequest request = read_request(input);
  check_claim(request.view());
  for (const aws::QueryPlus plus : {aws::QueryPlus::literal, aws::QueryPlus::space}) {
    // A canonical query has no raw plus left: reading it again changes nothing.
    const std::string canonical = aws::canonical_query(request.query, plus);
    TARN_ASSERT(aws::canonical_query(canonical) == canonical);
  }
  check_own_signatures(signable(request));
  check_policy(input);
  static_cast<void>(aws::parse_aws_date(request.method));
}

}  // namespace tarn::fuzz
