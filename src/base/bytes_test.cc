#include "base/bytes.h"

#include <array>

#include <gtest/gtest.h>

namespace tarn {
namespace {

using namespace std::string_literals;

struct Pair {
  std::string_view bytes;
  std::string_view text;
};

TEST(Hex, EncodesLowerCaseAndDecodesEither) {
  EXPECT_EQ(to_hex("\x00\xff\x10"s), "00ff10");
  EXPECT_EQ(from_hex("00fF10"), "\x00\xff\x10"s);
  EXPECT_EQ(from_hex(""), "");
}

TEST(Hex, RejectsOddLengthAndOtherCharacters) {
  for (const char* text : {"0", "0g", "g0", " 0", "0x", "12-4"}) {
    EXPECT_EQ(from_hex(text), std::nullopt) << text;
  }
}

constexpr std::array<Pair, 7> kBase64 = {{{"", ""},
                                          {"f", "Zg=="},
                                          {"fo", "Zm8="},
                                          {"foo", "Zm9v"},
                                          {"foob", "Zm9vYg=="},
                                          {"fooba", "Zm9vYmE="},
                                          {"foobar", "Zm9vYmFy"}}};

TEST(Base64, AgreesWithRfc4648Vectors) {
  for (const auto& [bytes, text] : kBase64) {
    EXPECT_EQ(to_base64(bytes), text);
    EXPECT_EQ(from_base64(text), bytes);
  }
}

TEST(Base64, RejectsMissingStrayAndExcessPadding) {
  for (const char* text : {"Zg", "Zg=", "Z===", "====", "Zg==Zg==", "Z", "=Zg=", "Zm9vYg==="}) {
    EXPECT_EQ(from_base64(text), std::nullopt) << text;
  }
}

TEST(Base64, RejectsSetBitsAfterTheLastByte) {
  EXPECT_EQ(from_base64("Zh=="), std::nullopt);
  EXPECT_EQ(from_base64("Zm9="), std::nullopt);
}

TEST(Base64, RejectsUrlAlphabetAndWhiteSpace) {
  for (const char* text : {"-_-_", "Zg==\n", "Zm 9", "Zm9\xff"}) {
    EXPECT_EQ(from_base64(text), std::nullopt) << text;
  }
}

TEST(Base64Url, EncodesUnpaddedAndAcceptsCorrectPaddingOnly) {
  EXPECT_EQ(to_base64url("\xfb\xff\xfe"), "-__-");
  EXPECT_EQ(to_base64url("f"), "Zg");
  EXPECT_EQ(from_base64url("Zg"), "f");
  EXPECT_EQ(from_base64url("Zg=="), "f");
  for (const char* text : {"Zg=", "Zm9v=", "Zm9v====", "Zm8===", "+/+/", "Z"}) {
    EXPECT_EQ(from_base64url(text), std::nullopt) << text;
  }
}

TEST(Base32Hex, AgreesWithRfc4648VectorsInLowerCaseUnpadded) {
  constexpr std::array<Pair, 7> kVectors = {{{"", ""},
                                             {"f", "co"},
                                             {"fo", "cpng"},
                                             {"foo", "cpnmu"},
                                             {"foob", "cpnmuog"},
                                             {"fooba", "cpnmuoj1"},
                                             {"foobar", "cpnmuoj1e8"}}};
  for (const auto& [bytes, text] : kVectors) {
    EXPECT_EQ(to_base32hex(bytes), text);
    EXPECT_EQ(from_base32hex(text), bytes);
  }
}

TEST(Base32Hex, RejectsUpperCaseImpossibleLengthsAndSetTailBits) {
  for (const char* text : {"CO", "c", "cpn", "cpnmuo", "cp", "wx"}) {
    EXPECT_EQ(from_base32hex(text), std::nullopt) << text;
  }
}

TEST(Percent, DecodesOnceAndKeepsPlus) {
  EXPECT_EQ(percent_decode("a%2fb%2Bc+d%2520"), "a/b+c+d%20");
  EXPECT_EQ(percent_decode("%00"), "\0"s);
}

TEST(Percent, RejectsBrokenEscapes) {
  for (const char* text : {"%", "a%2", "%zz", "%2", "%%20", "%2g"}) {
    EXPECT_EQ(percent_decode(text), std::nullopt) << text;
  }
}

TEST(Percent, EncodesAllButUnreservedAndKept) {
  EXPECT_EQ(percent_encode("a b/c~-_.é"), "a%20b%2Fc~-_.%C3%A9");
  EXPECT_EQ(percent_encode("a b/c", "/"), "a%20b/c");
}

TEST(Percent, RoundTripsEveryByte) {
  std::string all;
  for (int i = 0; i < 256; ++i)
    all.push_back(static_cast<char>(i));
  EXPECT_EQ(percent_decode(percent_encode(all)), all);
  EXPECT_EQ(from_base64(to_base64(all)), all);
  EXPECT_EQ(from_base64url(to_base64url(all)), all);
  EXPECT_EQ(from_base32hex(to_base32hex(all)), all);
  EXPECT_EQ(from_hex(to_hex(all)), all);
}

TEST(Utf8, AcceptsTheEdgesOfEveryLength) {
  for (const char* text :
       {"", "plain", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
        "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "a\xc3\xa9z"}) {
    EXPECT_TRUE(is_valid_utf8(text)) << to_hex(text);
  }
  EXPECT_TRUE(is_valid_utf8("\0"s));
}

TEST(Utf8, RejectsOverlongSurrogateOutOfRangeAndTruncated) {
  for (const char* text : {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80",
                           "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff",
                           "\xc3", "a\xe2\x82", "\xf0\x9f\x98", "\xc3(", "\xe2\x82("}) {
    EXPECT_FALSE(is_valid_utf8(text)) << to_hex(text);
  }
}

TEST(ConstantTime, ComparesLengthAndContent) {
  EXPECT_TRUE(equal_constant_time("", ""));
  EXPECT_TRUE(equal_constant_time("secret", "secret"));
  EXPECT_FALSE(equal_constant_time("secret", "secreT"));
  EXPECT_FALSE(equal_constant_time("secret", "secret1"));
}

TEST(BigEndian, AppendsMostSignificantByteFirst) {
  std::string out = "x";
  append_be32(out, 0x01020304);
  append_be64(out, 0xf1f2f3f4f5f6f7f8);
  EXPECT_EQ(to_hex(out), "7801020304f1f2f3f4f5f6f7f8");
}

}  // namespace
}  // namespace tarn
