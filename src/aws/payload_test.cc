#include "aws/payload.h"

#include <gtest/gtest.h>

#include "aws/test_requests.h"

namespace tarn::aws {
namespace {

using namespace testing;

std::expected<Payload, S3Error> parse(std::string_view hash, HeaderList headers = {}) {
  const OwnedRequest request{.method = "PUT", .headers = std::move(headers)};
  return parse_payload(request.view(), hash);
}

S3ErrorCode code_of(std::string_view hash, HeaderList headers = {}) {
  const auto payload = parse(hash, std::move(headers));
  EXPECT_FALSE(payload) << hash;
  return payload ? S3ErrorCode::internal_error : payload.error().code;
}

TEST(Payload, ReadsEveryWord) {
  EXPECT_EQ(parse(kUnsignedPayload)->mode, PayloadMode::unsigned_payload);
  EXPECT_EQ(parse("")->mode, PayloadMode::unsigned_payload);
  const auto hashed = parse("E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855");
  EXPECT_EQ(hashed->mode, PayloadMode::hashed);
  EXPECT_EQ(hashed->sha256_hex, kEmptyPayloadHash);
  const auto stream = parse(kStreamingSigned, {{"X-Amz-Decoded-Content-Length", "66560"}});
  EXPECT_EQ(stream->mode, PayloadMode::streaming_signed);
  EXPECT_EQ(stream->decoded_length, 66'560U);
  const auto trailer =
      parse(kStreamingUnsignedTrailer,
            {{"x-amz-decoded-content-length", "0"}, {"X-Amz-Trailer", "X-Amz-Checksum-CRC32"}});
  EXPECT_EQ(trailer->mode, PayloadMode::streaming_unsigned_trailer);
  EXPECT_EQ(trailer->trailers, (std::vector<std::string>{"x-amz-checksum-crc32"}));
}

TEST(Payload, RefusesUnknownWordsAndStreamsWithoutASeed) {
  for (const std::string_view word :
       {"unsigned-payload", "STREAMING", "deadbeef", "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"}) {
    EXPECT_EQ(code_of(word), S3ErrorCode::invalid_argument) << word;
  }
  EXPECT_EQ(code_of(std::string(64, 'g')), S3ErrorCode::invalid_argument);
  EXPECT_EQ(code_of("", {{"x-amz-content-sha256", std::string(kStreamingSigned)},
                         {"x-amz-decoded-content-length", "1"}}),
            S3ErrorCode::invalid_argument);
}

TEST(Payload, DemandsADecodedLengthOfStreams) {
  EXPECT_EQ(code_of(kStreamingSigned), S3ErrorCode::missing_content_length);
  EXPECT_EQ(code_of(kStreamingSignedTrailer), S3ErrorCode::missing_content_length);
  for (const std::string bad : {"", "-1", "+1", "1a", "0x1", "99999999999999999999999", "1 2"}) {
    EXPECT_EQ(code_of(kStreamingUnsignedTrailer, {{"x-amz-decoded-content-length", bad}}),
              S3ErrorCode::missing_content_length)
        << bad;
  }
  EXPECT_EQ(parse(kStreamingUnsignedTrailer)->decoded_length, std::nullopt);
}

TEST(Payload, RefusesTrailersThatNothingWouldCheck) {
  const HeaderList trailer = {{"x-amz-trailer", "x-amz-checksum-crc32"},
                              {"x-amz-decoded-content-length", "1"}};
  EXPECT_EQ(code_of(kUnsignedPayload, trailer), S3ErrorCode::malformed_trailer);
  EXPECT_EQ(code_of(kStreamingSigned, trailer), S3ErrorCode::malformed_trailer);
  for (const std::string bad : {"a,a", "a b", "a:b", ",", "a,b,c,d,e,f,g,h,i"}) {
    EXPECT_EQ(code_of(kStreamingUnsignedTrailer, {{"x-amz-trailer", bad}}),
              S3ErrorCode::malformed_trailer)
        << bad;
  }
}

TEST(ContentEncoding, IsStoredWithoutAwsChunked) {
  EXPECT_EQ(stored_content_encoding("aws-chunked"), "");
  EXPECT_EQ(stored_content_encoding("gzip"), "gzip");
  EXPECT_EQ(stored_content_encoding("AWS-Chunked, gzip"), "gzip");
  EXPECT_EQ(stored_content_encoding("gzip,aws-chunked,br"), "gzip,br");
}

}  // namespace
}  // namespace tarn::aws
