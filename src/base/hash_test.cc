#include "base/hash.h"

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace tarn {
namespace {

constexpr std::string_view kCheck = "123456789";

TEST(Digest, AgreesWithPublishedVectors) {
  EXPECT_EQ(to_hex(md5("")), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(to_hex(md5("abc")), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(to_hex(sha1("abc")), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(to_hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(to_hex(sha256("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Digest, StartsAfreshAfterFinish) {
  Hasher hasher(Hasher::Kind::sha256);
  hasher.update("a");
  hasher.update("bc");
  EXPECT_EQ(hasher.finish(), sha256("abc"));
  EXPECT_EQ(hasher.finish(), sha256(""));
  Hasher moved = std::move(hasher);
  moved.update("abc");
  EXPECT_EQ(moved.finish(), sha256("abc"));
}

// RFC 4231 case 2 and RFC 2202 case 2.
TEST(Hmac, AgreesWithPublishedVectors) {
  constexpr std::string_view kMessage = "what do ya want for nothing?";
  EXPECT_EQ(to_hex(hmac_sha256("Jefe", kMessage)),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(to_hex(hmac_sha1("Jefe", kMessage)), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
}

TEST(Hmac, TakesEmptyAndLongKeysAfterAnother) {
  static_cast<void>(hmac_sha256("previous", "message"));
  EXPECT_EQ(to_hex(hmac_sha256({}, {})),
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
  // RFC 4231 case 6: a key longer than a block is hashed first.
  EXPECT_EQ(to_hex(hmac_sha256(std::string(131, '\xaa'),
                               "Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Hmac, KeepsItsKeyBetweenMessages) {
  HmacSha256 keyed("Jefe");
  for (const char* message : {"", "one", "what do ya want for nothing?", "one"}) {
    EXPECT_EQ(keyed(message), hmac_sha256("Jefe", message)) << message;
  }
}

// storage-format.md 9.7
TEST(Hmac, SignsTheLinkOfTheSpecification) {
  EXPECT_EQ(
      to_base64url(hmac_sha256(
          "OVERRIDE_THIS_SIGNING_SECRET_DEFAULT",
          R"({"Repository":"repo1","Branch":"main","Path":"a\u0026b.txt","PhysicalAddress":"data/gqv3epl4fd2o8m3men70/ce8co454fd2o8m3menag"})")),
      "rkq2LvbeAhqeIKz0f2RQmrFkI6poxcTxp-CguVHDqhE");
}

TEST(Crc, HasTheStandardCheckValues) {
  EXPECT_EQ(crc32(0, kCheck), 0xcbf43926U);
  EXPECT_EQ(crc32c(0, kCheck), 0xe3069283U);
  EXPECT_EQ(crc64_nvme(0, kCheck), 0xae8b14860a799888U);
}

TEST(Crc, IsZeroForNothing) {
  EXPECT_EQ(crc32(0, {}), 0U);
  EXPECT_EQ(crc32c(0, {}), 0U);
  EXPECT_EQ(crc64_nvme(0, {}), 0U);
}

TEST(Crc, ContinuesAcrossAnySplit) {
  std::string bytes;
  for (int i = 0; i < 100; ++i)
    bytes.push_back(static_cast<char>(i * 37));
  const std::string_view all = bytes;
  for (std::size_t cut = 0; cut <= all.size(); ++cut) {
    const auto head = all.substr(0, cut);
    const auto tail = all.substr(cut);
    ASSERT_EQ(crc32(crc32(0, head), tail), crc32(0, all)) << cut;
    ASSERT_EQ(crc32c(crc32c(0, head), tail), crc32c(0, all)) << cut;
    ASSERT_EQ(crc64_nvme(crc64_nvme(0, head), tail), crc64_nvme(0, all)) << cut;
  }
}

// storage-format.md 9.5
TEST(Fnv, AgreesWithTheSpecification) {
  EXPECT_EQ(fnv1a_64(""), 0xcbf29ce484222325U);
  EXPECT_EQ(fnv1a_64("a"), 0xaf63dc4c8601ec8cU);
  EXPECT_EQ(fnv1a_64("foobar"), 0x85944171f73967e8U);
  EXPECT_EQ(fnv1a_64("data/204677"), 5863914321130150000U);
  EXPECT_EQ(fnv1a_32("lakefs:kv"), 4109714936U);
}

}  // namespace
}  // namespace tarn
