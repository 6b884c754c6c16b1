#include "aws/sigv4.h"

#include <gtest/gtest.h>

#include "aws/canonical.h"
#include "aws/payload.h"
#include "aws/test_requests.h"
#include "base/bytes.h"
#include "base/hash.h"

namespace tarn::aws {
namespace {

using namespace testing;

constexpr std::string_view kBucketHost = "examplebucket.s3.amazonaws.com";

std::string authorization(const Credentials& who, std::string_view day, std::string_view names,
                          std::string_view signature) {
  return "AWS4-HMAC-SHA256 Credential=" + who.access_key + "/" + std::string(day) +
         "/us-east-1/s3/aws4_request,SignedHeaders=" + std::string(names) +
         ",Signature=" + std::string(signature);
}

std::expected<SigV4Verdict, S3Error> check(const OwnedRequest& request, const Credentials& who,
                                           Timestamp now, const SigV4Policy& policy = {}) {
  static SigningKeyCache keys;
  const SignedRequest view = request.view();
  const auto scheme = find_scheme(view);
  if (!scheme) return std::unexpected(scheme.error());
  const auto auth = parse_sigv4(view, *scheme, policy);
  if (!auth) return std::unexpected(auth.error());
  return verify_sigv4(view, *auth, who.secret_key, now, keys, policy);
}

std::string code_of(const std::expected<SigV4Verdict, S3Error>& verdict) {
  return verdict ? "OK" : std::string(to_string(verdict.error().code));
}

struct Vector {
  OwnedRequest request;
  std::string names;
  std::string canonical_hash;  // empty: not published
  std::string signature;
};

OwnedRequest aws_request(std::string method, std::string path, std::string query,
                         std::string hash = std::string(kEmptyPayloadHash)) {
  return {.method = std::move(method),
          .path = std::move(path),
          .query = std::move(query),
          .headers = {{"Host", std::string(kBucketHost)},
                      {"x-amz-date", "20130524T000000Z"},
                      {"x-amz-content-sha256", std::move(hash)}}};
}

std::vector<Vector> aws_vectors() {
  const std::string three = "host;x-amz-content-sha256;x-amz-date";
  std::vector<Vector> vectors;
  vectors.push_back({aws_request("GET", "/test.txt", "").set("Range", "bytes=0-9"),
                     "host;range;x-amz-content-sha256;x-amz-date",
                     "7344ae5b7ee6c3e7e6b0fe0640412a37625d1fbfff95c48bbb2dc43964946972",
                     "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"});
  vectors.push_back(
      {aws_request("PUT", "/test%24file.text", "", to_hex(sha256("Welcome to Amazon S3.")))
           .set("Date", "Fri, 24 May 2013 00:00:00 GMT")
           .set("x-amz-storage-class", "REDUCED_REDUNDANCY"),
       "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
       "9e0e90d9c76de8fa5b200d8c849cd5b8dc7a3be3951ddb7f6a76b4158342019d",
       "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"});
  vectors.push_back({aws_request("GET", "/", "lifecycle"), three,
                     "9766c798316ff2757b517bc739a67f6213b4ab36dd5da2f94eaebf79c77395ca",
                     "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"});
  vectors.push_back({aws_request("GET", "/", "max-keys=2&prefix=J"), three,
                     "df57d21db20da04d7fa30298dd4488ba3a2b47ca3a489c74750e0f1e7df1b9b7",
                     "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"});
  return vectors;
}

OwnedRequest tarn_request(std::string path, std::string query = {}, std::string method = "GET") {
  return {.method = std::move(method),
          .path = std::move(path),
          .query = std::move(query),
          .headers = {{"Host", "lake.example.test"},
                      {"X-Amz-Date", "20260115T120000Z"},
                      {"X-Amz-Content-SHA256", std::string(kEmptyPayloadHash)}}};
}

std::vector<Vector> tarn_vectors() {
  const std::string three = "host;x-amz-content-sha256;x-amz-date";
  std::vector<Vector> vectors;
  vectors.push_back({tarn_request("/demo/main/raw%20data/a%2Bb%3Dc%26d/"
                                  "%C3%BC~%281%29%2A%21%27%40%3A%24%2C%3B.txt"),
                     three, "6e30c853d0005409f6408211427161ce1885df17aafefa2511b0d2d23dde3047",
                     "12cc0546d426f9bd89632c436c27adbc58a0a14ead43e8e46be3e1a8ced1b339"});
  vectors.push_back({tarn_request("/demo/main//x/../y/./z"), three,
                     "2dabafc3371cc64becd232f0220ee4f419696e56c92cc7d340b0f151bc05f41f",
                     "19c2ecb4ff068bc392eaf6a9a2ebb6df080506d30413993fa33ccd9e5d422394"});
  vectors.push_back({tarn_request("/demo",
                                  "list-type=2&prefix=main%2Fa%20b%2B%2F&delimiter=%2F"
                                  "&encoding-type=url&continuation-token="),
                     three, "",
                     "7937b82e9a6c9d5900ac745f09f8f14a7846d15a64022ac105e56086f3d21095"});
  vectors.push_back({tarn_request("/demo", "uploads"), three, "",
                     "05e3b52ae0741bcdd47430bd0aec31c8d0f7574fd2bdbaa8d7900a5255653064"});
  vectors.push_back({tarn_request("/demo", "a=2&a=1&A=0&a-b=1"), three, "",
                     "ec2024a926638aa39cec9da8faaba46ad4373ee6bff72eed638fab93c513c8d0"});
  vectors.push_back({tarn_request("/demo/main/f", "", "PUT")
                         .set("x-amz-content-sha256", to_hex(sha256("hello")))
                         .set("Content-Type", "text/plain; charset=utf-8")
                         .set("x-amz-meta-note", "  two   words  "),
                     "content-type;host;x-amz-content-sha256;x-amz-date;x-amz-meta-note",
                     "0f58cf624adc247fcb9faca0c7377f5370918cf92493d425acd3552f90ba8c36",
                     "a816d6b753a8ebaad10d46de47382023da54326058a28070418ca76e8a5081da"});
  vectors.push_back({tarn_request("/demo/main/f").set("host", "127.0.0.1:8000"), three, "",
                     "1578a7ebbf340903b71106e2629a617723a81da2c67d0b48ac3666096feac35c"});
  return vectors;
}

OwnedRequest aws_presigned() {
  return {.path = "/test.txt",
          .query =
              "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F"
              "20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z"
              "&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature="
              "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
          .headers = {{"Host", std::string(kBucketHost)}}};
}

OwnedRequest with_query(OwnedRequest request, std::string_view from, std::string_view to) {
  const std::size_t at = request.query.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  request.query.replace(at, from.size(), to);
  return request;
}

Timestamp after(Timestamp time, std::int64_t seconds) {
  return {.seconds = time.seconds + seconds, .nanos = 0};
}

TEST(SigningKey, EqualsThePublishedKeys) {
  EXPECT_EQ(
      to_hex(SigningKey(kAwsExample.secret_key, "20130524/us-east-1/s3/aws4_request").bytes()),
      "dbb893acc010964918f1fd433add87c70e8b0db6be30c1fbeafefa5ec6ba8378");
  EXPECT_EQ(
      to_hex(SigningKey(kTarnExample.secret_key, "20260115/us-east-1/s3/aws4_request").bytes()),
      "3d2584fe8b1a8f72396779b63bd19fbc6ea62bdff664d6148a8c2920c2101394");
}

void expect_vectors(const std::vector<Vector>& vectors, const Credentials& who, Timestamp now) {
  for (const Vector& vector : vectors) {
    SCOPED_TRACE(vector.request.path + "?" + vector.request.query);
    if (!vector.canonical_hash.empty()) {
      const std::string hash = vector.request.header("x-amz-content-sha256");
      EXPECT_EQ(
          to_hex(sha256(canonical_request(vector.request.view(),
                                          {.signed_headers = vector.names, .payload_hash = hash}))),
          vector.canonical_hash);
    }
    const std::string day = vector.request.header("x-amz-date").substr(0, 8);
    OwnedRequest request = vector.request;
    request.set("Authorization", authorization(who, day, vector.names, vector.signature));
    EXPECT_EQ(code_of(check(request, who, now)), "OK");

    OwnedRequest bare = vector.request;
    const std::string hash = bare.header("x-amz-content-sha256");
    bare.drop("x-amz-date").drop("x-amz-content-sha256");
    const OwnedRequest ours = sign(bare, who, hash, now);
    EXPECT_TRUE(ours.header("authorization").ends_with(vector.signature));
  }
}

TEST(SigV4, AcceptsAndReproducesThePublishedHeaderVectors) {
  expect_vectors(aws_vectors(), kAwsExample, kAwsTime);
}

TEST(SigV4, AcceptsAndReproducesTheBotoHeaderVectors) {
  expect_vectors(tarn_vectors(), kTarnExample, kTarnTime);
}

OwnedRequest aws_stream(std::string_view word) {
  return OwnedRequest{.method = "PUT",
                      .path = "/examplebucket/chunkObject.txt",
                      .headers = {{"Host", "s3.amazonaws.com"},
                                  {"x-amz-date", "20130524T000000Z"},
                                  {"x-amz-storage-class", "REDUCED_REDUNDANCY"},
                                  {"x-amz-content-sha256", std::string(word)},
                                  {"Content-Encoding", "aws-chunked"},
                                  {"x-amz-decoded-content-length", "66560"}}};
}

TEST(SigV4, AcceptsAndReproducesTheSeedsOfPublishedStreams) {
  const std::string rest = "host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;";
  expect_vectors(
      {{aws_stream(kStreamingSigned).set("Content-Length", "66824"),
        "content-encoding;content-length;" + rest + "x-amz-storage-class", "",
        "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"},
       {aws_stream(kStreamingSignedTrailer).set("x-amz-trailer", "x-amz-checksum-crc32c"),
        "content-encoding;" + rest + "x-amz-storage-class;x-amz-trailer",
        "44d48b8c2f70eae815a0198cc73d7a546a73a93359c070abbaa5e6c7de112559",
        "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e"}},
      kAwsExample, kAwsTime);
  expect_vectors({{tarn_request("/demo/main/hello.txt", "", "PUT")
                       .set("x-amz-content-sha256", kStreamingSignedTrailer)
                       .set("content-encoding", "aws-chunked")
                       .set("x-amz-decoded-content-length", "11")
                       .set("x-amz-trailer", "x-amz-checksum-crc32"),
                   "content-encoding;" + rest + "x-amz-trailer", "",
                   "50fd9702daf5d30a6309134895eac5dd484864a227432db0f109ee48e0b1bf1b"}},
                 kTarnExample, kTarnTime);
}

TEST(SigV4, AcceptsAndReproducesThePublishedPresignedVector) {
  EXPECT_EQ(code_of(check(aws_presigned(), kAwsExample, kAwsTime)), "OK");
  const OwnedRequest plain{.path = "/test.txt", .headers = {{"Host", std::string(kBucketHost)}}};
  EXPECT_EQ(presign_query(plain.view(), kAwsExample, {.region = "us-east-1"}, 86'400, kAwsTime),
            aws_presigned().query);
}

TEST(SigV4, AcceptsTheBotoPresignedVectors) {
  const OwnedRequest get{.path = "/demo/main/report%202026.csv",
                         .query =
                             "response-content-disposition=attachment%3B%20filename%3D%22r.csv%22"
                             "&response-content-type=text%2Fcsv",
                         .headers = {{"host", "lake.example.test"}}};
  const std::string query =
      presign_query(get.view(), kTarnExample, {.region = "us-east-1"}, 604'800, kTarnTime);
  EXPECT_TRUE(query.ends_with("adc5acd37303fc8e6f3cfb3fd908add21f07a69a880cb6424cf66446daeb6f79"));
  OwnedRequest signed_get = get;
  signed_get.query = query;
  EXPECT_EQ(code_of(check(signed_get, kTarnExample, kTarnTime)), "OK");

  OwnedRequest put{
      .method = "PUT",
      .path = "/demo/main/up.bin",
      .headers = {{"host", "lake.example.test"}, {"content-type", "application/octet-stream"}}};
  Credentials session = kTarnExample;
  session.session_token = "TOKEN/abc+=";
  put.query = presign_query(put.view(), session, {.region = "us-east-1"}, 900, kTarnTime);
  EXPECT_TRUE(
      put.query.ends_with("a8bffe0c227d5b96fc8213b3ec9cd0ddee05d544094ad1faa3f1295d44275a0d"));
  EXPECT_EQ(code_of(check(put, kTarnExample, kTarnTime)), "OK");
  EXPECT_EQ(parse_sigv4(put.view(), Scheme::v4_query)->session_token, "TOKEN/abc+=");
}

OwnedRequest valid() {
  OwnedRequest request = tarn_request("/demo/main/f", "", "PUT");
  request.drop("x-amz-date").drop("x-amz-content-sha256").set("x-amz-meta-a", "b");
  return sign(request, kTarnExample, kEmptyPayloadHash, kTarnTime);
}

TEST(SigV4, RefusesEveryChangeOfASignedRequest) {
  ASSERT_EQ(code_of(check(valid(), kTarnExample, kTarnTime)), "OK");
  const std::vector<std::pair<std::string, OwnedRequest>> changed = [] {
    std::vector<std::pair<std::string, OwnedRequest>> out;
    const auto add = [&](std::string what, auto change) {
      OwnedRequest request = valid();
      change(request);
      out.emplace_back(std::move(what), std::move(request));
    };
    add("method", [](OwnedRequest& r) { r.method = "POST"; });
    add("path", [](OwnedRequest& r) { r.path = "/demo/main/g"; });
    add("slash", [](OwnedRequest& r) { r.path = "/demo/main//f"; });
    add("query", [](OwnedRequest& r) { r.query = "acl"; });
    add("host", [](OwnedRequest& r) { r.set("host", "lake.example.test:80"); });
    add("meta", [](OwnedRequest& r) { r.set("x-amz-meta-a", "c"); });
    add("second field", [](OwnedRequest& r) { r.headers.emplace_back("x-amz-meta-a", "c"); });
    add("hash", [](OwnedRequest& r) { r.set("x-amz-content-sha256", kUnsignedPayload); });
    add("date", [](OwnedRequest& r) { r.set("x-amz-date", "20260115T120001Z"); });
    add("region", [](OwnedRequest& r) {
      std::string value = r.header("authorization");
      value.replace(value.find("us-east-1"), 9, "us-west-2");
      r.set("authorization", value);
    });
    return out;
  }();
  for (const auto& [what, request] : changed) {
    EXPECT_EQ(code_of(check(request, kTarnExample, kTarnTime)), "SignatureDoesNotMatch") << what;
  }
  EXPECT_EQ(code_of(check(valid(), kAwsExample, kTarnTime)), "SignatureDoesNotMatch");
}

TEST(SigV4, RefusesEveryFlippedSignatureDigit) {
  const std::string value = valid().header("authorization");
  for (std::size_t i = value.size() - 64; i < value.size(); ++i) {
    std::string flipped = value;
    flipped[i] = flipped[i] == '0' ? '1' : '0';
    OwnedRequest request = valid();
    EXPECT_EQ(code_of(check(request.set("authorization", flipped), kTarnExample, kTarnTime)),
              "SignatureDoesNotMatch");
  }
}

TEST(SigV4, TellsWhyASignatureDoesNotMatch) {
  OwnedRequest request = valid();
  request.path = "/demo/main/g";
  const auto verdict = check(request, kTarnExample, kTarnTime);
  ASSERT_FALSE(verdict);
  std::vector<std::string> names;
  for (const auto& detail : verdict.error().details)
    names.push_back(detail.first);
  EXPECT_EQ(names, (std::vector<std::string>{"AWSAccessKeyId", "StringToSign", "SignatureProvided",
                                             "StringToSignBytes", "CanonicalRequest",
                                             "CanonicalRequestBytes"}));
  EXPECT_TRUE(verdict.error().details[3].second.starts_with("41 57 53 34"));
}

TEST(SigV4, RefusesMalformedAuthorizationHeaders) {
  const std::string good = valid().header("authorization");
  const auto replaced = [&](std::string_view from, std::string_view to) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    return text;
  };
  const std::vector<std::pair<std::string, std::string>> table = {
      {"AWS4-HMAC-SHA256", "AuthorizationHeaderMalformed"},
      {"AWS4-HMAC-SHA256 ", "AuthorizationHeaderMalformed"},
      {"AWS4-HMAC-SHA256 ,,,", "AuthorizationHeaderMalformed"},
      {"AWS4-HMAC-SHA256 Credential", "AuthorizationHeaderMalformed"},
      {replaced("SHA256 ", "SHA256"), "AuthorizationHeaderMalformed"},
      {good + ",Signature=" + std::string(64, '0'), "AuthorizationHeaderMalformed"},
      {good + "0", "AuthorizationHeaderMalformed"},
      {good.substr(0, good.size() - 1) + "g", "AuthorizationHeaderMalformed"},
      {replaced("host;", "Host;"), "AuthorizationHeaderMalformed"},
      {replaced("host;", "host;host;"), "AuthorizationHeaderMalformed"},
      {replaced("host;", "host;;"), "AuthorizationHeaderMalformed"},
      {replaced("/s3/", "/sts/"), "AuthorizationHeaderMalformed"},
      {replaced("us-east-1", ""), "AuthorizationHeaderMalformed"},
      {replaced("aws4_request", "aws5_request"), "AuthorizationHeaderMalformed"},
      {replaced("20260115", "20260116"), "AuthorizationHeaderMalformed"},
      {replaced("20260115", "2026011"), "AuthorizationHeaderMalformed"},
      {replaced("TARNEXAMPLEKEY000001/", ""), "AuthorizationHeaderMalformed"},
      {replaced("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"), "InvalidRequest"},
      {"Basic Zm9vOmJhcg==", "InvalidArgument"},
      {"", "InvalidArgument"},
  };
  for (const auto& [text, code] : table) {
    OwnedRequest request = valid();
    EXPECT_EQ(code_of(check(request.set("authorization", text), kTarnExample, kTarnTime)), code)
        << text;
  }
}

TEST(SigV4, AcceptsUnusualSpacingOrderAndCaseOfTheHeader) {
  OwnedRequest request = valid();
  const auto auth = *parse_sigv4(request.view(), Scheme::v4_header);
  std::string upper = auth.signature;
  for (char& c : upper)
    c = c >= 'a' && c <= 'f' ? static_cast<char>(c - 32) : c;
  request.set("authorization", "AWS4-HMAC-SHA256   Signature=" + upper + " ,SignedHeaders=" +
                                   auth.signed_headers + "\t,  Credential=" + auth.credential);
  EXPECT_EQ(code_of(check(request, kTarnExample, kTarnTime)), "OK");
}

TEST(SigV4, SplitsCredentialsFromTheRight) {
  const Credentials odd{.access_key = "team/key/with/slashes/and/more/than/twenty",
                        .secret_key = "s"};
  OwnedRequest request = tarn_request("/demo").drop("x-amz-date").drop("x-amz-content-sha256");
  request = sign(request, odd, kUnsignedPayload, kTarnTime);
  EXPECT_EQ(parse_sigv4(request.view(), Scheme::v4_header)->access_key, odd.access_key);
  EXPECT_EQ(code_of(check(request, odd, kTarnTime)), "OK");
}

TEST(SigV4, RefusesHeadersAddedAfterSigning) {
  OwnedRequest request = valid();
  request.set("X-Amz-Copy-Source", "/secret/main/x");
  const auto verdict = check(request, kTarnExample, kTarnTime);
  EXPECT_EQ(code_of(verdict), "AccessDenied");
  EXPECT_EQ(verdict.error().details.front(),
            (std::pair<std::string, std::string>("HeadersNotSigned", "x-amz-copy-source")));

  OwnedRequest presigned = aws_presigned();
  presigned.method = "PUT";
  presigned.set("x-amz-copy-source", "/secret/main/x");
  EXPECT_EQ(code_of(check(presigned, kAwsExample, kAwsTime)), "AccessDenied");
}

TEST(SigV4, RequiresASignedHostAndSparesIntermediariesHeaders) {
  OwnedRequest cdn = valid();
  EXPECT_EQ(code_of(check(cdn.set("x-amz-cf-id", "1"), kTarnExample, kTarnTime)), "OK");
  EXPECT_EQ(code_of(check(cdn, kTarnExample, kTarnTime, {.unsigned_headers_allowed = {}})),
            "AccessDenied");
  OwnedRequest no_host = tarn_request("/demo").drop("x-amz-date").drop("x-amz-content-sha256");
  no_host.drop("host");
  no_host = sign(no_host, kTarnExample, kUnsignedPayload, kTarnTime);
  EXPECT_EQ(code_of(check(no_host.set("host", "x"), kTarnExample, kTarnTime)), "AccessDenied");
}

TEST(SigV4, AcceptsASignedHeaderThatIsAbsentAsEmpty) {
  OwnedRequest request = tarn_request("/demo").drop("x-amz-date").drop("x-amz-content-sha256");
  request = sign(request.set("cache-control", ""), kTarnExample, kUnsignedPayload, kTarnTime);
  EXPECT_EQ(code_of(check(request.drop("cache-control"), kTarnExample, kTarnTime)), "OK");
}

TEST(SigV4, BoundsTheClockSkewOnBothSidesOfHeaderRequests) {
  EXPECT_EQ(code_of(check(valid(), kTarnExample, after(kTarnTime, 900))), "OK");
  EXPECT_EQ(code_of(check(valid(), kTarnExample, after(kTarnTime, -900))), "OK");
  EXPECT_EQ(code_of(check(valid(), kTarnExample, after(kTarnTime, 901))), "RequestTimeTooSkewed");
  EXPECT_EQ(code_of(check(valid(), kTarnExample, after(kTarnTime, -901))), "RequestTimeTooSkewed");
}

TEST(SigV4, ReadsTheDateHeaderInEveryForm) {
  for (const std::string date : {"Thu, 15 Jan 2026 12:00:00 GMT", "Thu, 15 Jan 2026 12:00:00 -0000",
                                 "20260115T120000Z", "Thu, 15 Jan 2026 13:00:00 +0100"}) {
    OwnedRequest request{.path = "/demo",
                         .headers = {{"host", "h"},
                                     {"date", date},
                                     {"x-amz-content-sha256", std::string(kUnsignedPayload)}}};
    const std::string names = "date;host;x-amz-content-sha256";
    const std::string scope = "20260115/us-east-1/s3/aws4_request";
    const std::string signature =
        SigningKey(kTarnExample.secret_key, scope)
            .sign(string_to_sign_v4(
                "20260115T120000Z", scope,
                canonical_request(request.view(),
                                  {.signed_headers = names, .payload_hash = kUnsignedPayload})));
    request.set("authorization", authorization(kTarnExample, "20260115", names, signature));
    EXPECT_EQ(code_of(check(request, kTarnExample, kTarnTime)), "OK") << date;
  }
}

TEST(SigV4, RefusesMissingAndBrokenDates) {
  EXPECT_EQ(code_of(check(valid().drop("x-amz-date"), kTarnExample, kTarnTime)), "AccessDenied");
  for (const std::string_view bad : {"", "yesterday", "20260115T120000", "20261315T120000Z"}) {
    OwnedRequest request = valid();
    EXPECT_EQ(code_of(check(request.set("x-amz-date", bad), kTarnExample, kTarnTime)),
              "AccessDenied");
  }
  OwnedRequest twice = valid();
  twice.headers.emplace_back("x-amz-date", "20260115T120000Z");
  EXPECT_EQ(code_of(check(twice, kTarnExample, kTarnTime)), "AccessDenied");
}

TEST(SigV4, RequiresAPayloadHashOnlyWhereThereMayBeABody) {
  OwnedRequest put = valid();
  EXPECT_EQ(code_of(check(put.drop("x-amz-content-sha256"), kTarnExample, kTarnTime)),
            "InvalidRequest");
  put.method = "GET";
  EXPECT_EQ(parse_sigv4(put.view(), Scheme::v4_header)->payload_hash, kUnsignedPayload);
}

TEST(SigV4, HoldsToAStrictRegion) {
  EXPECT_EQ(code_of(check(valid(), kTarnExample, kTarnTime, {.strict_region = "us-east-1"})), "OK");
  const auto verdict = check(valid(), kTarnExample, kTarnTime, {.strict_region = "eu-west-1"});
  EXPECT_EQ(code_of(verdict), "AuthorizationHeaderMalformed");
  EXPECT_EQ(verdict.error().details.front().second, "eu-west-1");
}

TEST(SigV4, TellsWhichReadingOfAPlusWasSigned) {
  OwnedRequest request = tarn_request("/demo", "prefix=a%20b").drop("x-amz-date");
  request = sign(request.drop("x-amz-content-sha256"), kTarnExample, kUnsignedPayload, kTarnTime);
  request.query = "prefix=a+b";
  const auto as_space = check(request, kTarnExample, kTarnTime);
  ASSERT_EQ(code_of(as_space), "OK");
  EXPECT_EQ(as_space->plus, QueryPlus::space);

  request = tarn_request("/demo", "prefix=a%2Bb").drop("x-amz-date").drop("x-amz-content-sha256");
  request = sign(request, kTarnExample, kUnsignedPayload, kTarnTime);
  request.query = "prefix=a+b";
  const auto literal = check(request, kTarnExample, kTarnTime);
  ASSERT_EQ(code_of(literal), "OK");
  EXPECT_EQ(literal->plus, QueryPlus::literal);
}

TEST(SigV4Presigned, LivesAsLongAsItSaysAndNoLonger) {
  const auto at = [&](std::int64_t seconds) {
    return check(aws_presigned(), kAwsExample, after(kAwsTime, seconds));
  };
  EXPECT_EQ(code_of(at(-900)), "OK");
  EXPECT_EQ(code_of(at(86'400)), "OK");
  const auto early = at(-901);
  EXPECT_EQ(code_of(early), "AccessDenied");
  EXPECT_EQ(early.error().message, "Request is not valid yet");
  const auto late = at(86'401);
  EXPECT_EQ(code_of(late), "AccessDenied");
  EXPECT_EQ(late.error().message, "Request has expired");
  EXPECT_EQ(late.error().details[1].second, "2013-05-25T00:00:00.000Z");
}

TEST(SigV4Presigned, RefusesMalformedParameters) {
  const std::vector<std::array<std::string, 3>> table = {
      {"X-Amz-Expires=86400", "X-Amz-Expires=", "AuthorizationQueryParametersError"},
      {"X-Amz-Expires=86400", "X-Amz-Expires=-1", "AuthorizationQueryParametersError"},
      {"X-Amz-Expires=86400", "X-Amz-Expires=604801", "AuthorizationQueryParametersError"},
      {"X-Amz-Expires=86400", "X-Amz-Expires=1e3", "AuthorizationQueryParametersError"},
      {"X-Amz-Expires=86400", "X-Amz-Expires=99999999999999999999",
       "AuthorizationQueryParametersError"},
      {"X-Amz-Expires=86400", "X-Amz-Expires=0", "AccessDenied"},
      {"X-Amz-Expires=86400&", "", "AuthorizationQueryParametersError"},
      {"X-Amz-Date=20130524T000000Z&", "", "AuthorizationQueryParametersError"},
      {"X-Amz-Date=20130524T", "X-Amz-Date=20130525T", "AuthorizationQueryParametersError"},
      {"X-Amz-Date=2013", "X-Amz-Date=Fri,", "AuthorizationQueryParametersError"},
      {"X-Amz-Algorithm=AWS4-HMAC-SHA256&", "", "AuthorizationQueryParametersError"},
      {"AWS4-HMAC-SHA256", "AWS4-HMAC-SHA512", "AuthorizationQueryParametersError"},
      {"AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256", "InvalidRequest"},
      {"%2Fs3%2F", "%2Fsts%2F", "AuthorizationQueryParametersError"},
      {"X-Amz-SignedHeaders=host", "X-Amz-SignedHeaders=", "AuthorizationQueryParametersError"},
      {"X-Amz-SignedHeaders=host", "X-Amz-SignedHeaders=range", "AccessDenied"},
      {"X-Amz-Signature=ae", "X-Amz-Signature=", "AuthorizationQueryParametersError"},
      {"X-Amz-Signature=ae", "X-Amz-Signature=af", "SignatureDoesNotMatch"},
      {"X-Amz-Signature=", "partNumber=1&X-Amz-Signature=", "SignatureDoesNotMatch"},
      {"X-Amz-Signature=", "X-Amz-Expires=900&X-Amz-Signature=",
       "AuthorizationQueryParametersError"},
  };
  for (const auto& [from, to, code] : table) {
    EXPECT_EQ(code_of(check(with_query(aws_presigned(), from, to), kAwsExample, kAwsTime)), code)
        << from << " -> " << to;
  }
}

TEST(SigV4Presigned, IsValidForItsMethodOnly) {
  OwnedRequest head = aws_presigned();
  head.method = "HEAD";
  EXPECT_EQ(code_of(check(head, kAwsExample, kAwsTime)), "SignatureDoesNotMatch");
}

TEST(SigV4Presigned, TakesThePayloadHashFromTheHeaderEvenUnsigned) {
  OwnedRequest request = aws_presigned();
  EXPECT_EQ(
      code_of(check(request.set("x-amz-content-sha256", kUnsignedPayload), kAwsExample, kAwsTime)),
      "OK");
  EXPECT_EQ(
      code_of(check(request.set("x-amz-content-sha256", kEmptyPayloadHash), kAwsExample, kAwsTime)),
      "SignatureDoesNotMatch");
}

TEST(Scheme, RecognisesEachFormAndRefusesTwoAtOnce) {
  OwnedRequest request = aws_presigned();
  EXPECT_EQ(*find_scheme(request.view()), Scheme::v4_query);
  request.set("authorization", "AWS4-HMAC-SHA256 x");
  EXPECT_EQ(find_scheme(request.view()).error().code, S3ErrorCode::invalid_argument);
  EXPECT_EQ(*find_scheme(OwnedRequest{}.view()), Scheme::anonymous);
  EXPECT_EQ(*find_scheme(OwnedRequest{.query = "prefix=X-Amz-Signature"}.view()),
            Scheme::anonymous);
  EXPECT_EQ(find_scheme(OwnedRequest{.query = "X-Amz-Signature=1"}.view()).error().code,
            S3ErrorCode::authorization_query_parameters_error);
  EXPECT_EQ(*find_scheme(OwnedRequest{.query = "AWSAccessKeyId=a&Expires=1&Signature=s"}.view()),
            Scheme::v2_query);
  EXPECT_EQ(find_scheme(OwnedRequest{.query = "AWSAccessKeyId=a&Signature=s"}.view()).error().code,
            S3ErrorCode::access_denied);
}

}  // namespace
}  // namespace tarn::aws
