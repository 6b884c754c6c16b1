// Signatures and every way a body may be sent and protected.
#include <stdexcept>

#include <gtest/gtest.h>

#include "aws/aws_date.h"
#include "aws/checksum.h"
#include "aws/signing_key.h"
#include "aws/sigv2.h"
#include "base/bytes.h"
#include "base/format.h"
#include "base/hash.h"
#include "s3gw/testing/gateway_fixture.h"
#include "testing/co_test.h"

namespace tarn::s3gw {

namespace {

using aws::ChecksumAlgorithm;
using testing::Answer;
using testing::Headers;
using testing::RequestSpec;

constexpr std::string_view kEmptyHash =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

class Bodies : public testing::GatewayTest {
 public:
  Answer put_unsigned_trailer(std::string body, std::string_view trailer, std::string length) {
    return ask({.method = "PUT",
                .path = "/repo/main/a",
                .headers = {{"x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"},
                            {"x-amz-decoded-content-length", std::move(length)},
                            {"content-encoding", "aws-chunked"},
                            {"x-amz-trailer", std::string(trailer)}},
                .body = std::move(body),
                .chunked = true,
                .piece_bytes = 7});
  }

  /// A signed stream of these chunks; `spoil` breaks the signature of the last but one.
  Answer put_signed(const std::vector<std::string>& chunks, bool spoil = false) {
    std::size_t size = 0;
    for (const auto& chunk : chunks)
      size += chunk.size();
    RequestSpec spec{.method = "PUT",
                     .path = "/repo/main/a",
                     .headers = {{"host", "localhost:8000"},
                                 {"content-encoding", "aws-chunked"},
                                 {"x-amz-decoded-content-length", std::to_string(size)}}};
    aws::SignedRequest view{
        .method = spec.method, .raw_path = spec.path, .raw_query = {}, .headers = {}};
    for (const auto& [name, value] : spec.headers)
      view.headers.emplace_back(name, value);
    const auto added = aws::sign_request(view, credentials(), {.region = "us-east-1"},
                                         "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", clock.now());
    std::string previous;
    for (const auto& [name, value] : added) {
      spec.headers.emplace_back(name, value);
      if (name == "authorization") previous = value.substr(value.rfind('=') + 1);
    }
    const std::string date = aws::to_iso_basic(clock.now());
    const std::string scope = date.substr(0, 8) + "/us-east-1/s3/aws4_request";
    const aws::SigningKey key(secret, scope);
    std::vector<std::string> all = chunks;
    all.emplace_back();
    for (std::size_t i = 0; i < all.size(); ++i) {
      previous = key.sign(format("AWS4-HMAC-SHA256-PAYLOAD\n{}\n{}\n{}\n{}\n{}", date, scope,
                                 previous, kEmptyHash, to_hex(sha256(all[i]))));
      std::string shown = previous;
      if (spoil && i + 2 == all.size()) shown.front() = shown.front() == '0' ? '1' : '0';
      spec.body += format("{:x};chunk-signature={}\r\n{}\r\n", all[i].size(), shown, all[i]);
    }
    return ask_unsigned(std::move(spec));
  }

  std::string stored() {
    const auto answer = get("/repo/main/a");
    return answer.status == 200 ? answer.body : "(none)";
  }
};

TEST_F(Bodies, OfSignedRequestsMatchTheirHash) {
  EXPECT_EQ(put("/repo/main/a", "x", {{"x-amz-content-sha256", to_hex(sha256("y"))}}).error(),
            "400 XAmzContentSHA256Mismatch");
  EXPECT_EQ(stored(), "(none)");
  EXPECT_EQ(stored_objects(), 0U);
  EXPECT_EQ(put("/repo/main/a", "x", {{"x-amz-content-sha256", "UNSIGNED-PAYLOAD"}}).status, 200);
  EXPECT_EQ(put("/repo/main/a", "x", {{"x-amz-content-sha256", "junk"}}).status, 400);
}

TEST_F(Bodies, MatchTheirContentMd5) {
  EXPECT_EQ(put("/repo/main/a", "x", {{"content-md5", to_base64(md5("y"))}}).error(),
            "400 BadDigest");
  EXPECT_EQ(put("/repo/main/a", "x", {{"content-md5", "abc"}}).error(), "400 InvalidDigest");
  EXPECT_EQ(put("/repo/main/a", "x", {{"content-md5", ""}}).error(), "400 InvalidDigest");
  EXPECT_EQ(stored_objects(), 0U);
  EXPECT_EQ(put("/repo/main/a", "x", {{"content-md5", to_base64(md5("x"))}}).status, 200);
}

TEST_F(Bodies, MatchEveryChecksumInHeaderOrTrailer) {
  for (const ChecksumAlgorithm algorithm : aws::kChecksumAlgorithms) {
    const std::string name(aws::header_name(algorithm));
    const std::string good = to_base64(aws::checksum_of(algorithm, "hello"));
    const std::string bad = to_base64(aws::checksum_of(algorithm, "other"));
    const auto answer = put("/repo/main/a", "hello", {{name, good}});
    EXPECT_EQ(answer.status, 200) << name;
    EXPECT_EQ(answer.header(name), good) << name;
    EXPECT_EQ(answer.header("x-amz-checksum-type"), "FULL_OBJECT");
    remove("/repo/main/a");
    EXPECT_EQ(put("/repo/main/a", "hello", {{name, bad}}).error(), "400 BadDigest") << name;
    EXPECT_EQ(stored(), "(none)") << name;
    const auto trailing =
        put_unsigned_trailer(format("5\r\nhello\r\n0\r\n{}:{}\r\n\r\n", name, good), name, "5");
    EXPECT_EQ(trailing.status, 200) << name << trailing.body;
    EXPECT_EQ(trailing.header(name), good);
    EXPECT_EQ(stored(), "hello");
    remove("/repo/main/a");
    EXPECT_EQ(put_unsigned_trailer(format("5\r\nhello\r\n0\r\n{}:{}\r\n\r\n", name, bad), name, "5")
                  .error(),
              "400 BadDigest")
        << name;
    EXPECT_EQ(stored(), "(none)") << name;
  }
  EXPECT_EQ(put("/repo/main/a", "x", {{"x-amz-checksum-crc32", "AA"}}).error(),
            "400 InvalidRequest");
  EXPECT_EQ(put("/repo/main/a", "x", {{"x-amz-sdk-checksum-algorithm", "CRC32"}}).error(),
            "400 InvalidRequest");
}

TEST_F(Bodies, OfBrokenStreamsStoreNothing) {
  const std::string crc = to_base64(aws::checksum_of(ChecksumAlgorithm::crc32, "hello"));
  const std::string trailer = "x-amz-checksum-crc32";
  for (const auto& [body, length, error] :
       std::vector<std::tuple<std::string, std::string, std::string>>{
           {"5\r\nhel", "5", "400 IncompleteBody"},
           {"5\r\nhello\r\n", "5", "400 IncompleteBody"},
           {"5\r\nhello\r\n0\r\n\r\n", "5", "400 MalformedTrailerError"},
           {"5\r\nhello\r\n0\r\nx-amz-checksum-crc32c:" + crc + "\r\n\r\n", "5",
            "400 MalformedTrailerError"},
           {"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:" + crc + "\r\n\r\n", "6",
            "400 IncompleteBody"},
           {"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:" + crc + "\r\n\r\n", "4",
            "400 IncompleteBody"},
           {"zz\r\nhello", "5", "400 IncompleteBody"}}) {
    EXPECT_EQ(put_unsigned_trailer(body, trailer, length).error(), error) << body;
    EXPECT_EQ(stored(), "(none)") << body;
  }
  EXPECT_EQ(stored_objects(), 0U);
}

TEST_F(Bodies, OfSignedChunksAreVerifiedChunkByChunk) {
  const std::string big(10'000, 'b');
  EXPECT_EQ(put_signed({big, "tail"}).status, 200);
  EXPECT_EQ(stored(), big + "tail");
  EXPECT_EQ(find("main", "a")->metadata, versioning::Metadata{});
  remove("/repo/main/a");
  EXPECT_EQ(put_signed({big, "tail"}, true).error(), "403 SignatureDoesNotMatch");
  EXPECT_EQ(stored(), "(none)");
}

TEST_F(Bodies, BeyondTheLimitAreRefused) {
  const std::string big((1 << 20) + 1, 'x');
  const auto answer = put("/repo/main/a", big);
  EXPECT_EQ(answer.error(), "400 EntityTooLarge");
  EXPECT_FALSE(answer.read_body);
  EXPECT_EQ(ask({.method = "PUT",
                 .path = "/repo/main/a",
                 .headers = {{"x-amz-content-sha256", "UNSIGNED-PAYLOAD"}},
                 .body = big,
                 .chunked = true,
                 .piece_bytes = 65'536})
                .error(),
            "400 EntityTooLarge");
  EXPECT_EQ(stored(), "(none)");
}

class Signatures : public testing::GatewayTest {};

TEST_F(Signatures, AreDemandedBeforeAnythingElse) {
  const auto anonymous = ask_unsigned(
      {.method = "PUT", .path = "/repo/main/a", .headers = {{"host", "h"}}, .body = "x"});
  EXPECT_EQ(anonymous.error(), "403 AccessDenied");
  EXPECT_FALSE(anonymous.read_body);
  secret = "wrong";
  EXPECT_EQ(get("/repo").error(), "403 SignatureDoesNotMatch");
  EXPECT_EQ(get("/nobody").error(), "403 SignatureDoesNotMatch");
  EXPECT_EQ(get("/repo", "foo").error(), "403 SignatureDoesNotMatch");
  key_id = "AKIANOBODY";
  EXPECT_EQ(get("/repo").error(), "403 InvalidAccessKeyId");
}

TEST_F(Signatures, RefuseUnsignedAmzHeadersAndTokensOfStaticKeys) {
  aws::SignedRequest view{
      .method = "PUT", .raw_path = "/repo/main/a", .raw_query = {}, .headers = {{"host", "h"}}};
  auto added =
      aws::sign_request(view, credentials(), {.region = "us-east-1"}, kEmptyHash, clock.now());
  added.emplace_back("host", "h");
  added.emplace_back("x-amz-copy-source", "repo/main/b");
  EXPECT_EQ(ask_unsigned({.method = "PUT", .path = "/repo/main/a", .headers = added}).error(),
            "403 AccessDenied");
  EXPECT_EQ(get("/repo", "", {{"x-amz-security-token", "t"}}).error(), "400 InvalidToken");
}

TEST_F(Signatures, InUrlsLiveAsLongAsTheySay) {
  put("/repo/main/a", "x");
  const aws::SignedRequest view{.method = "GET",
                                .raw_path = "/repo/main/a",
                                .raw_query = "response-content-type=a%2Fb",
                                .headers = {{"host", "h"}}};
  const std::string query =
      aws::presign_query(view, credentials(), {.region = "us-east-1"}, 3'600, clock.now());
  const RequestSpec spec{.path = "/repo/main/a", .query = query, .headers = {{"host", "h"}}};
  clock.advance(std::chrono::minutes(50));
  const auto answer = ask_unsigned(spec);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("content-type"), "a/b");
  clock.advance(std::chrono::minutes(11));
  EXPECT_EQ(ask_unsigned(spec).error(), "403 AccessDenied");
}

TEST_F(Signatures, OfUrlsCarryMetadataForTheirPut) {
  const aws::SignedRequest view{.method = "PUT",
                                .raw_path = "/repo/main/a",
                                .raw_query = "x-amz-meta-k=v%20w&x-amz-checksum-crc32=AAAAAA%3D%3D",
                                .headers = {{"host", "h"}}};
  const std::string query =
      aws::presign_query(view, credentials(), {.region = "us-east-1"}, 60, clock.now());
  EXPECT_EQ(ask_unsigned({.method = "PUT",
                          .path = "/repo/main/a",
                          .query = query,
                          .headers = {{"host", "h"}},
                          .body = "data"})
                .status,
            200);
  EXPECT_EQ(get("/repo/main/a").header("x-amz-meta-k"), "v w");
}

TEST_F(Signatures, OfVersion2AreTakenInHeadersAndUrls) {
  put("/repo/main/a", "x");
  const std::string date = to_http_date(clock.now());
  const aws::SignedRequest view{.method = "GET",
                                .raw_path = "/repo/main/a",
                                .raw_query = {},
                                .headers = {{"host", "h"}, {"date", date}}};
  const std::string to_sign = aws::string_to_sign_v2(view, {.date = date});
  const std::string signature = to_base64(hmac_sha1(secret, to_sign));
  EXPECT_EQ(ask_unsigned({.path = "/repo/main/a",
                          .headers = {{"host", "h"},
                                      {"date", date},
                                      {"authorization", "AWS " + key_id + ":" + signature}}})
                .status,
            200);
  const std::string expires = std::to_string(clock.now().seconds + 60);
  const std::string query_sign = aws::string_to_sign_v2(
      {.method = "PUT", .raw_path = "/repo/main/b", .raw_query = {}, .headers = {{"host", "h"}}},
      {.date = expires, .presigned = true});
  const std::string query = format("AWSAccessKeyId={}&Expires={}&Signature={}", key_id, expires,
                                   percent_encode(to_base64(hmac_sha1(secret, query_sign))));
  RequestSpec spec{.method = "PUT",
                   .path = "/repo/main/b",
                   .query = query,
                   .headers = {{"host", "h"}},
                   .body = "put"};
  EXPECT_EQ(ask_unsigned(spec).status, 200);
  EXPECT_EQ(get("/repo/main/b").body, "put");
  // V2 does not always bind what stands in the query: nobody may smuggle a copy in.
  spec.query += "&x-amz-copy-source=repo/main/a";
  EXPECT_NE(ask_unsigned(spec).status, 200);
  EXPECT_EQ(get("/repo/main/b").body, "put");
}

class BrokenClock final : public Clock {
 public:
  Timestamp now() const override { throw std::runtime_error("the clock is broken"); }
};

TEST_F(Bodies, AnExceptionNobodyExpectedIsAnsweredAsAnInternalError) {
  BrokenClock broken;
  Gateway other{{.catalog = catalog, .authority = authority, .clock = broken}, {}};
  RequestSpec spec{.path = "/repo/main/a", .headers = {{"host", "localhost:8000"}}};
  const aws::SignedRequest view{.method = spec.method,
                                .raw_path = spec.path,
                                .raw_query = {},
                                .headers = {{"host", "localhost:8000"}}};
  const auto signature =
      aws::sign_request(view, credentials(), {.region = "us-east-1"}, kEmptyHash, clock.now());
  spec.headers.insert(spec.headers.end(), signature.begin(), signature.end());
  testing::FakeRequest request(std::move(spec));
  testing::FakeResponse response;
  ::tarn::testing::run_co([&](Context& ctx) { return other.handle(ctx, request, response); });
  EXPECT_EQ(response.status(), 500);
  EXPECT_NE(response.body().find("<Code>InternalError</Code>"), std::string::npos);
  EXPECT_EQ(response.body().find("clock"), std::string::npos) << "what broke is for the log";
}

}  // namespace

}  // namespace tarn::s3gw
