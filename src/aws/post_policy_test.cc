#include "aws/post_policy.h"

#include <gtest/gtest.h>

#include "aws/test_requests.h"
#include "base/bytes.h"
#include "base/hash.h"

namespace tarn::aws {
namespace {

using namespace testing;

constexpr std::string_view kPolicy =
    R"({"expiration": "2026-01-15T13:00:00Z", "conditions": [{"bucket": "demo"}, )"
    R"(["starts-with", "$key", "main/uploads/"], ["content-length-range", 1, 1048576], )"
    R"({"x-amz-algorithm": "AWS4-HMAC-SHA256"}, {"x-amz-credential": )"
    R"("TARNEXAMPLEKEY000001/20260115/us-east-1/s3/aws4_request"}, )"
    R"({"x-amz-date": "20260115T120000Z"}]})";

class PostPolicy : public ::testing::Test {
 protected:
  std::string outcome() const {
    const auto auth = parse_policy_auth(fields);
    if (!auth) return std::string(to_string(auth.error().code));
    EXPECT_EQ(auth->access_key, kTarnExample.access_key);
    const auto ok = verify_policy(fields, *auth, kTarnExample.secret_key);
    return ok ? "OK" : std::string(to_string(ok.error().code));
  }

  const std::string encoded = to_base64(kPolicy);
  PolicyFields fields{
      .policy = encoded,
      .algorithm = "AWS4-HMAC-SHA256",
      .credential = "TARNEXAMPLEKEY000001/20260115/us-east-1/s3/aws4_request",
      .date = "20260115T120000Z",
      .signature = "982aa2249428858f574a7ad78e016e6ec85aee1d73f74e08087fab292fd23d02",
      .access_key = {}};
};

TEST_F(PostPolicy, AcceptsTheBotoVector) {
  EXPECT_EQ(kPolicy.size(), 312U);
  EXPECT_EQ(encoded.size(), 416U);
  EXPECT_EQ(outcome(), "OK");
}

TEST_F(PostPolicy, AcceptsAV2Signature) {
  const std::string signature = to_base64(hmac_sha1(kTarnExample.secret_key, encoded));
  fields = {.policy = encoded,
            .algorithm = {},
            .credential = {},
            .date = {},
            .signature = signature,
            .access_key = kTarnExample.access_key};
  EXPECT_EQ(outcome(), "OK");
  fields.signature = "AAAA";
  EXPECT_EQ(outcome(), "SignatureDoesNotMatch");
}

TEST_F(PostPolicy, RefusesWhatDoesNotAgree) {
  const auto with = [this](auto change) {
    const PolicyFields good = fields;
    change(fields);
    const std::string result = outcome();
    fields = good;
    return result;
  };
  const std::string other = to_base64(std::string(kPolicy) + " ");
  EXPECT_EQ(with([&](PolicyFields& f) { f.policy = other; }), "SignatureDoesNotMatch");
  EXPECT_EQ(with([](PolicyFields& f) { f.policy = ""; }), "AccessDenied");
  EXPECT_EQ(with([](PolicyFields& f) { f.algorithm = "AWS4-HMAC-SHA1"; }), "InvalidArgument");
  EXPECT_EQ(with([](PolicyFields& f) { f.date = "20260116T120000Z"; }), "InvalidArgument");
  EXPECT_EQ(with([](PolicyFields& f) { f.date = ""; }), "InvalidArgument");
  EXPECT_EQ(with([](PolicyFields& f) { f.credential = "x"; }), "InvalidArgument");
  EXPECT_EQ(with([](PolicyFields& f) { f.signature = "x, Credential=y"; }), "InvalidArgument");
  EXPECT_EQ(with([](PolicyFields& f) { f.algorithm = f.credential = ""; }), "AccessDenied");
}

}  // namespace
}  // namespace tarn::aws
