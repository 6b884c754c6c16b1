#include "aws/checksum.h"

#include <gtest/gtest.h>

#include "aws/test_requests.h"
#include "base/bytes.h"

namespace tarn::aws {
namespace {

using namespace testing;
using enum ChecksumAlgorithm;

std::string shown(ChecksumAlgorithm algorithm, std::string_view bytes) {
  return to_base64(checksum_of(algorithm, bytes));
}

TEST(Checksum, EqualsThePublishedValues) {
  EXPECT_EQ(shown(crc32, "123456789"), "y/Q5Jg==");
  EXPECT_EQ(shown(crc32c, "123456789"), "4waSgw==");
  EXPECT_EQ(shown(crc64nvme, "123456789"), "rosUhgp5mIg=");
  EXPECT_EQ(shown(sha1, "123456789"), "98O8HYCOBHMq32eZZczDTKeuNEE=");
  EXPECT_EQ(shown(sha256, "123456789"), "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=");
  EXPECT_EQ(shown(crc32, "hello tarn\n"), "Mgkyuw==");
  EXPECT_EQ(shown(crc32c, "hello tarn\n"), "WV24YQ==");
  EXPECT_EQ(shown(crc64nvme, "hello tarn\n"), "y4N6uf2gRnU=");
  EXPECT_EQ(shown(sha1, "hello tarn\n"), "HQqQiu+nr8J0NlW7oFzcmC7RKQk=");
  EXPECT_EQ(shown(sha256, "hello tarn\n"), "5bt0IMF1ylvNTITTNTzY29PdD9KyanaFdFdTQevUMnQ=");
  EXPECT_EQ(shown(crc32, ""), "AAAAAA==");
  EXPECT_EQ(shown(crc64nvme, ""), "AAAAAAAAAAA=");
}

constexpr std::size_t kPart = 5 << 20;

std::vector<std::string> parts_of(ChecksumAlgorithm algorithm,
                                  const std::vector<std::string>& parts) {
  std::vector<std::string> out;
  for (const std::string& part : parts)
    out.push_back(checksum_of(algorithm, part));
  return out;
}

TEST(Checksum, EqualsThePublishedMultipartValues) {
  const std::vector<std::string> abc = {std::string(kPart, 'A'), std::string(kPart, 'B'),
                                        std::string(kPart, 'C')};
  EXPECT_EQ(to_base64(composite_checksum(sha256, parts_of(sha256, abc))),
            "uWBwpe1dxI4Vw8Gf0X9ynOdw/SS6VBzfWm9giiv1sf4=");
  EXPECT_EQ(to_base64(composite_checksum(sha1, parts_of(sha1, abc))),
            "sizjvY4eud3MrcHdZM3cQ/ol39o=");
  const auto full = [&](ChecksumAlgorithm algorithm) {
    const auto sums = parts_of(algorithm, abc);
    const std::string two = combine_checksums(algorithm, sums[0], sums[1], kPart);
    return to_base64(combine_checksums(algorithm, two, sums[2], kPart));
  };
  EXPECT_EQ(to_base64(checksum_of(crc32, abc[0])), "JRTCyQ==");
  EXPECT_EQ(full(crc32), "WgDhBQ==");
  EXPECT_EQ(full(crc64nvme), "i+6LR0y3eFo=");

  const std::vector<std::string> ab = {std::string(kPart, 'a'), "b"};
  EXPECT_EQ(to_base64(composite_checksum(crc32, parts_of(crc32, ab))), "dYPmEQ==");
  EXPECT_EQ(to_base64(composite_checksum(crc32c, parts_of(crc32c, ab))), "xVGK2Q==");
  for (const auto& [algorithm, value] :
       {std::pair{crc32, "rBxv8Q=="}, {crc32c, "yKBXfw=="}, {crc64nvme, "q73CYp7EDYg="}}) {
    const auto sums = parts_of(algorithm, ab);
    EXPECT_EQ(to_base64(combine_checksums(algorithm, sums[0], sums[1], 1)), value);
  }
}

TEST(Checksum, CombinesAtEveryCutAsIfItHadReadTheWhole) {
  std::string text;
  for (int i = 0; i < 300; ++i)
    text.push_back(static_cast<char>(i * 37 + 11));
  for (const ChecksumAlgorithm algorithm : {crc32, crc32c, crc64nvme}) {
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
      EXPECT_EQ(combine_checksums(algorithm, checksum_of(algorithm, text.substr(0, cut)),
                                  checksum_of(algorithm, text.substr(cut)), text.size() - cut),
                checksum_of(algorithm, text));
    }
  }
}

TEST(Checksum, KnowsNamesHeadersAndTypes) {
  EXPECT_EQ(find_checksum_algorithm("crc64nvme"), crc64nvme);
  EXPECT_EQ(find_checksum_header("X-Amz-Checksum-SHA256"), sha256);
  EXPECT_EQ(find_checksum_header("x-amz-checksum-sha512"), std::nullopt);
  EXPECT_EQ(element_name(crc32c), "ChecksumCRC32C");
  EXPECT_EQ(default_checksum_type(crc64nvme), ChecksumType::full_object);
  EXPECT_EQ(default_checksum_type(crc32), ChecksumType::composite);
  EXPECT_FALSE(allows(sha1, ChecksumType::full_object));
  EXPECT_FALSE(allows(crc64nvme, ChecksumType::composite));
}

TEST(ChecksumValue, RefusesWrongLengthsAndWhatIsNoBase64) {
  EXPECT_EQ(parse_checksum_value(crc32, "Mgkyuw=="), from_base64("Mgkyuw==").value());
  for (const std::string_view bad : {"", "Mgkyuw", "Mgkyuw=", "Mgkyuwo=", "Mgk!uw==",
                                     "AAAAAAAAAAA=", "Mgkyuw==\n", "========"}) {
    const auto value = parse_checksum_value(crc32, bad);
    ASSERT_FALSE(value) << bad;
    EXPECT_EQ(value.error().code, S3ErrorCode::invalid_request);
  }
}

std::string request_code(const HeaderList& headers, std::vector<std::string> trailers = {}) {
  const OwnedRequest request{.headers = headers};
  const Payload payload{.mode = PayloadMode::streaming_unsigned_trailer,
                        .sha256_hex = {},
                        .decoded_length = {},
                        .trailers = std::move(trailers)};
  const auto checksum = parse_request_checksum(request.view(), payload);
  if (!checksum) return std::string(to_string(checksum.error().code));
  if (!*checksum) return "none";
  return std::string(to_string((*checksum)->algorithm)) +
         ((*checksum)->expected.empty() ? " later" : " now");
}

TEST(RequestChecksum, ReadsHeaderAndTrailerPromises) {
  EXPECT_EQ(request_code({}), "none");
  EXPECT_EQ(request_code({{"X-Amz-Checksum-Crc32", "Mgkyuw=="}}), "CRC32 now");
  EXPECT_EQ(request_code({}, {"x-amz-checksum-crc64nvme"}), "CRC64NVME later");
  EXPECT_EQ(request_code({{"x-amz-sdk-checksum-algorithm", "CRC32"}}, {"x-amz-checksum-crc32"}),
            "CRC32 later");
  EXPECT_EQ(request_code({{"x-amz-checksum-algorithm", ""},
                          {"x-amz-checksum-mode", "ENABLED"},
                          {"x-amz-checksum-type", "COMPOSITE"}}),
            "none");
}

TEST(RequestChecksum, RefusesContradictions) {
  EXPECT_EQ(request_code({{"x-amz-checksum-crc32", "Mgkyuw=="}}, {"x-amz-checksum-crc32"}),
            "InvalidRequest");
  EXPECT_EQ(
      request_code({{"x-amz-checksum-crc32", "Mgkyuw=="}, {"x-amz-checksum-crc32c", "WV24YQ=="}}),
      "InvalidRequest");
  EXPECT_EQ(request_code({{"x-amz-checksum-crc32", "nope"}}), "InvalidRequest");
  EXPECT_EQ(request_code({{"x-amz-checksum-blake3", "AAAA"}}), "InvalidRequest");
  EXPECT_EQ(request_code({}, {"x-amz-checksum-blake3"}), "InvalidRequest");
  EXPECT_EQ(request_code({}, {"x-amz-checksum-crc32", "x-amz-checksum-sha1"}), "InvalidRequest");
  EXPECT_EQ(request_code({{"x-amz-sdk-checksum-algorithm", "CRC32"}}), "InvalidRequest");
  EXPECT_EQ(request_code({{"x-amz-sdk-checksum-algorithm", "SHA1"}}, {"x-amz-checksum-crc32"}),
            "InvalidRequest");
  EXPECT_EQ(request_code({{"x-amz-sdk-checksum-algorithm", "FOO"}}, {"x-amz-checksum-crc32"}),
            "InvalidRequest");
}

TEST(TrailerChecksum, IsFoundOrRefusedByItsOwnCode) {
  EXPECT_EQ(find_trailer_checksum(crc32, {{"x-amz-checksum-crc32", "Mgkyuw=="}}),
            from_base64("Mgkyuw==").value());
  EXPECT_EQ(find_trailer_checksum(crc32, {}).error().code, S3ErrorCode::malformed_trailer);
  EXPECT_EQ(find_trailer_checksum(crc32, {{"x-amz-checksum-crc32", "x"}}).error().code,
            S3ErrorCode::invalid_request);
}

TEST(ContentMd5, MustBeSixteenBytes) {
  EXPECT_EQ(parse_content_md5("1B2M2Y8AsgTpgAmY7PhCfg=="), md5(""));
  for (const std::string_view bad :
       {"", "1B2M2Y8AsgTpgAmY7PhCfg", "AAAA", "!!!!!!!!!!!!!!!!!!!!!!=="}) {
    EXPECT_EQ(parse_content_md5(bad).error().code, S3ErrorCode::invalid_digest) << bad;
  }
}

}  // namespace
}  // namespace tarn::aws
