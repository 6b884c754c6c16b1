#include "sst/value.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "testing/co_test.h"

namespace tarn::sst {
namespace {

constexpr std::string_view kFox = "the quick brown fox";

void expect_corrupt(std::string_view hex) {
  try {
    decode_value(*from_hex(hex));
    ADD_FAILURE() << hex << " was accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::corrupt);
  }
}

TEST(CommittedValue, EncodesAsTheReferenceDoes) {
  EXPECT_EQ(to_hex(encode_value("", "")), "0000");
  EXPECT_EQ(to_hex(encode_value("foo", "")), "06666f6f00");
  EXPECT_EQ(encode_value("foo", kFox), *from_hex("06666f6f26") + std::string(kFox));
  EXPECT_EQ(to_hex(encode_value(std::string(32, 'i'), "").substr(0, 1)), "40");
}

TEST(CommittedValue, DecodesWhatItEncodesAndIgnoresWhatFollows) {
  const std::string bytes = encode_value("foo", kFox) + "trailing";
  const ValueView value = decode_value(bytes);
  EXPECT_EQ(value.identity, "foo");
  EXPECT_EQ(value.data, kFox);
}

TEST(CommittedValue, TakesAMissingLengthForZero) {
  EXPECT_EQ(decode_value("").identity, "");
  const std::string identity_only = *from_hex("06666f6f");
  EXPECT_EQ(decode_value(identity_only).identity, "foo");
  EXPECT_EQ(decode_value(identity_only).data, "");
}

TEST(CommittedValue, RejectsNegativeOverlongAndCutLengths) {
  expect_corrupt("01");
  expect_corrupt("06666f");
  expect_corrupt("06666f6f05");
  expect_corrupt("06666f6f02");
  expect_corrupt("80");
  expect_corrupt("feffffffffffffffff01");
  expect_corrupt("ffffffffffffffffffff01");
}

TEST(CommittedValue, RefusesToEncodeAPartOverTheLimit) {
  EXPECT_EQ(encode_value("", std::string(kValuePartBytesMax, 'x')).size(), kValuePartBytesMax + 5);
  EXPECT_THROW(encode_value("", std::string(kValuePartBytesMax + 1, 'x')), Error);
}

TEST(RangeData, EncodesAsTheReferenceDoes) {
  const RangeData range{
      .min_key = "a/b.txt", .max_key = "data/204677", .estimated_size = 364, .count = 2};
  EXPECT_EQ(to_hex(encode_range_data(range)),
            "0a07612f622e747874120b646174612f32303436373718ec022002");
  EXPECT_EQ(decode_range_data(encode_range_data(range)), range);
  EXPECT_EQ(to_hex(encode_range_data(
                {.min_key = "z", .max_key = "z", .estimated_size = 180, .count = 1})),
            "0a017a12017a18b4012001");
}

TEST(RangeData, RejectsBrokenBytes) {
  EXPECT_THROW(decode_range_data("\x0a\x7f"), Error);
  EXPECT_THROW(decode_range_data("\xff"), Error);
}

}  // namespace
}  // namespace tarn::sst
