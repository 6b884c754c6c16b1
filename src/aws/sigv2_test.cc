#include "aws/sigv2.h"

#include <gtest/gtest.h>

#include "aws/test_requests.h"
#include "base/bytes.h"
#include "base/hash.h"

namespace tarn::aws {
namespace {

using namespace testing;

std::string outcome(const OwnedRequest& request, const Credentials& who, Timestamp now,
                    std::string_view bucket = {}) {
  const auto scheme = find_scheme(request.view());
  if (!scheme) return std::string(to_string(scheme.error().code));
  const auto auth = parse_sigv2(request.view(), *scheme);
  if (!auth) return std::string(to_string(auth.error().code));
  EXPECT_EQ(auth->access_key, who.access_key);
  const auto ok = verify_sigv2(request.view(), *auth, who.secret_key, bucket, now);
  return ok ? "OK" : std::string(to_string(ok.error().code));
}

OwnedRequest signed_with(OwnedRequest request, const Credentials& who, std::string_view signature) {
  request.set("Authorization", "AWS " + who.access_key + ":" + std::string(signature));
  return request;
}

Timestamp at(std::string_view date) {
  return *parse_aws_date(date);
}

TEST(SigV2, AcceptsThePublishedVectors) {
  const std::string puppy = "Tue, 27 Mar 2007 19:36:42 +0000";
  const OwnedRequest get{.path = "/photos/puppy.jpg", .headers = {{"Date", puppy}}};
  EXPECT_EQ(string_to_sign_v2(get.view(), {.virtual_bucket = "awsexamplebucket1", .date = puppy}),
            "GET\n\n\n" + puppy + "\n/awsexamplebucket1/photos/puppy.jpg");
  EXPECT_EQ(outcome(signed_with(get, kAwsExample, "qgk2+6Sv9/oM7G3qLEjTH1a1l1g="), kAwsExample,
                    at(puppy), "awsexamplebucket1"),
            "OK");

  const std::string later = "Tue, 27 Mar 2007 21:15:45 +0000";
  const OwnedRequest put{.method = "PUT",
                         .path = "/photos/puppy.jpg",
                         .headers = {{"Date", later}, {"Content-Type", "image/jpeg"}}};
  EXPECT_EQ(outcome(signed_with(put, kAwsExample, "iqRzw+ileNPu1fhspnRs8nOjjIA="), kAwsExample,
                    at(later), "awsexamplebucket1"),
            "OK");

  const std::string acl_date = "Tue, 27 Mar 2007 19:44:46 +0000";
  const OwnedRequest acl{.path = "/", .query = "acl", .headers = {{"Date", acl_date}}};
  EXPECT_EQ(outcome(signed_with(acl, kAwsExample, "82ZHiFIjc+WbcwFKGUVEQspPn+0="), kAwsExample,
                    at(acl_date), "awsexamplebucket1"),
            "OK");

  const std::string utf_date = "Wed, 28 Mar 2007 01:49:49 +0000";
  const OwnedRequest utf{.path = "/dictionary/fran%C3%A7ais/pr%c3%a9f%c3%a8re",
                         .headers = {{"Date", utf_date}}};
  EXPECT_EQ(outcome(signed_with(utf, kAwsExample, "DNEZGsoieTZ92F3bUfSPQcbGmlM="), kAwsExample,
                    at(utf_date)),
            "OK");
}

constexpr std::string_view kNoon = "Thu, 15 Jan 2026 12:00:00 GMT";

OwnedRequest boto_put() {
  return signed_with({.method = "PUT",
                      .path = "/main/big%20file.bin",
                      .query = "partNumber=2&uploadId=abc123&x-id=UploadPart",
                      .headers = {{"Date", std::string(kNoon)},
                                  {"x-amz-meta-b", "  two  "},
                                  {"X-Amz-Meta-A", "one"},
                                  {"Content-Type", "application/octet-stream"}}},
                     kTarnExample, "ZdAxK0PlnVhvTgQnFXKzLiYHuEk=");
}

TEST(SigV2, AcceptsTheBotoHeaderVectors) {
  EXPECT_EQ(string_to_sign_v2(boto_put().view(), {.virtual_bucket = "demo", .date = kNoon}),
            "PUT\n\napplication/octet-stream\nThu, 15 Jan 2026 12:00:00 GMT\nx-amz-meta-a:one\n"
            "x-amz-meta-b:two\n/demo/main/big%20file.bin?partNumber=2&uploadId=abc123");
  EXPECT_EQ(outcome(boto_put(), kTarnExample, kTarnTime, "demo"), "OK");
  const OwnedRequest list{.path = "/demo",
                          .query = "list-type=2&prefix=main%2F&uploads",
                          .headers = {{"Date", std::string(kNoon)}}};
  EXPECT_EQ(outcome(signed_with(list, kTarnExample, "CrAZ+kcZSMhyCR2GNWVuwO7Xczw="), kTarnExample,
                    kTarnTime),
            "OK");
}

OwnedRequest boto_presigned() {
  return {.path = "/demo/main/report.csv",
          .query =
              "response-content-type=text%2Fcsv&AWSAccessKeyId=TARNEXAMPLEKEY000001"
              "&Signature=WyurC5K33b5t%2B0R5Ls7zW7pqDwQ%3D&Expires=1768482000"};
}

TEST(SigV2Presigned, AcceptsTheBotoVectorUntilItExpires) {
  EXPECT_EQ(outcome(boto_presigned(), kTarnExample, {.seconds = 1'768'482'000, .nanos = 0}), "OK");
  EXPECT_EQ(outcome(boto_presigned(), kTarnExample, {.seconds = 1'768'482'001, .nanos = 0}),
            "AccessDenied");
  EXPECT_EQ(outcome(boto_presigned(), kTarnExample, {.seconds = 0, .nanos = 0}), "OK");
}

TEST(SigV2Presigned, RefusesChanges) {
  const auto changed = [](std::string_view from, std::string_view to) {
    OwnedRequest request = boto_presigned();
    request.query.replace(request.query.find(from), from.size(), to);
    return outcome(request, kTarnExample, kTarnTime);
  };
  EXPECT_EQ(changed("text%2Fcsv", "text%2Fhtml"), "SignatureDoesNotMatch");
  EXPECT_EQ(changed("1768482000", "1768482001"), "SignatureDoesNotMatch");
  EXPECT_EQ(changed("1768482000", "soon"), "AccessDenied");
  EXPECT_EQ(changed("1768482000", "-1"), "AccessDenied");
  EXPECT_EQ(changed("1768482000", "1768482000&acl"), "SignatureDoesNotMatch");
  EXPECT_EQ(changed("1768482000", "1768482000&tagging"), "SignatureDoesNotMatch");
  EXPECT_EQ(changed("1768482000", "1768482000&x-amz-meta-a=b"), "SignatureDoesNotMatch");
  EXPECT_EQ(changed("1768482000", "1768482000&Expires=1"), "AccessDenied");
  EXPECT_EQ(changed("%2B", "+"), "OK");
  OwnedRequest with_header = boto_presigned();
  EXPECT_EQ(outcome(with_header.set("x-amz-copy-source", "/a/b"), kTarnExample, kTarnTime),
            "SignatureDoesNotMatch");
}

TEST(SigV2Presigned, UsesHeaderValuesThatStandInTheQuery) {
  OwnedRequest request{.method = "PUT",
                       .path = "/demo/main/f",
                       .query = "x-amz-meta-a=b%20c&content-type=text%2Fplain"};
  const std::string to_sign = "PUT\n\ntext/plain\n1768482000\nx-amz-meta-a:b c\n/demo/main/f";
  request.query += "&AWSAccessKeyId=TARNEXAMPLEKEY000001&Expires=1768482000&Signature=" +
                   percent_encode(to_base64(hmac_sha1(kTarnExample.secret_key, to_sign)));
  EXPECT_EQ(outcome(request, kTarnExample, kTarnTime), "OK");
}

TEST(SigV2, RefusesChangesAndSkew) {
  OwnedRequest request = boto_put();
  request.method = "GET";
  EXPECT_EQ(outcome(request, kTarnExample, kTarnTime, "demo"), "SignatureDoesNotMatch");
  EXPECT_EQ(outcome(boto_put(), kTarnExample, kTarnTime, "other"), "SignatureDoesNotMatch");
  request = boto_put();
  EXPECT_EQ(outcome(request.set("x-amz-acl", "private"), kTarnExample, kTarnTime, "demo"),
            "SignatureDoesNotMatch");
  EXPECT_EQ(
      outcome(boto_put(), kTarnExample, {.seconds = kTarnTime.seconds + 901, .nanos = 0}, "demo"),
      "RequestTimeTooSkewed");
  EXPECT_EQ(outcome(boto_put().drop("date"), kTarnExample, kTarnTime, "demo"), "AccessDenied");
}

TEST(SigV2, AcceptsBothReadingsOfTwoDates) {
  for (const std::string& line : {std::string(), std::string(kNoon)}) {
    OwnedRequest request{
        .path = "/demo/",
        .headers = {{"date", std::string(kNoon)}, {"x-amz-date", std::string(kNoon)}}};
    const std::string to_sign =
        "GET\n\n\n" + line + "\nx-amz-date:" + std::string(kNoon) + "\n/demo/";
    EXPECT_EQ(outcome(signed_with(request, kTarnExample,
                                  to_base64(hmac_sha1(kTarnExample.secret_key, to_sign))),
                      kTarnExample, kTarnTime),
              "OK");
  }
}

TEST(SigV2, AcceptsTheSubresourceListsOfOtherClientsInHeadersOnly) {
  for (const auto& [query, resource] :
       {std::pair<std::string, std::string>{"retention", "/demo/k?retention"},
        {"tagging", "/demo/k"},
        {"tagging", "/demo/k?tagging"}}) {
    const OwnedRequest request{
        .path = "/demo/k", .query = query, .headers = {{"date", std::string(kNoon)}}};
    const std::string to_sign = "GET\n\n\n" + std::string(kNoon) + "\n" + resource;
    EXPECT_EQ(outcome(signed_with(request, kTarnExample,
                                  to_base64(hmac_sha1(kTarnExample.secret_key, to_sign))),
                      kTarnExample, kTarnTime),
              "OK")
        << resource;
  }
}

TEST(SigV2, RefusesMalformedAuthorizationHeaders) {
  for (const std::string_view text :
       {"AWS ", "AWS key", "AWS :sig", "AWS key:", "AWS key :sig", "AWS  "}) {
    OwnedRequest request{.headers = {{"date", std::string(kNoon)}}};
    EXPECT_EQ(outcome(request.set("authorization", text), kTarnExample, kTarnTime),
              "InvalidArgument")
        << text;
  }
}

}  // namespace
}  // namespace tarn::aws
