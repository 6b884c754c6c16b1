#include "versioning/staging/staged_codec.h"

#include <random>

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/error.h"

namespace tarn::versioning {
namespace {

std::string bytes(std::string_view hex) {
  return from_hex(hex).value();
}

bool is_corrupt(std::string_view stored) {
  try {
    decode_staged(stored);
  } catch (const Error& error) {
    return error.code() == ErrorCode::corrupt;
  }
  return false;
}

// storage-format.md 9.3
TEST(StagedCodec, WritesTombstonesAsTheReferenceDoes) {
  EXPECT_EQ(to_hex(encode_tombstone("a/b")), "0a03612f62");
  const std::string stored = bytes("0a03612f62");
  EXPECT_TRUE(decode_staged(stored).tombstone);
  EXPECT_EQ(decode_staged(stored).key, "a/b");
}

TEST(StagedCodec, KeepsValues) {
  const std::string data(300, 'd');
  const std::string stored = encode_staged("k\xff", std::string(32, '\x01'), data);
  const RecordView record = decode_staged(stored);
  EXPECT_FALSE(record.tombstone);
  EXPECT_EQ(record.key, "k\xff");
  EXPECT_EQ(record.identity, std::string(32, '\x01'));
  EXPECT_EQ(record.data, data);
  EXPECT_EQ(to_hex(encode_staged("k", "id", "")), "0a016b12026964");
}

TEST(StagedCodec, RefusesToWriteAnEmptyIdentity) {
  EXPECT_THROW(encode_staged("k", "", "data"), Error);
}

TEST(StagedCodec, ReadsAnyOrderUnknownFieldsAndRepeats) {
  // data, unknown varint 9, fixed64 10, fixed32 11, text 12, identity, key twice
  const std::string stored = bytes(
      "1a0164"
      "48ff01"
      "510102030405060708"
      "5d01020304"
      "620141"
      "120169"
      "0a0178"
      "0a016b");
  const RecordView record = decode_staged(stored);
  EXPECT_EQ(record.key, "k");
  EXPECT_EQ(record.identity, "i");
  EXPECT_EQ(record.data, "d");
  EXPECT_FALSE(decode_staged(bytes("0a016b1200")).tombstone);  // present but empty
  EXPECT_TRUE(decode_staged("").tombstone);
}

TEST(StagedCodec, ReportsCorruptRecords) {
  for (const char* hex : {"0a", "0a05", "0a0561", "0aff", "0affffffffffffffffff7f61",
                          "0affffffffffffffffffff01", "00", "0b", "48", "51010203", "5d01", "ff"}) {
    EXPECT_TRUE(is_corrupt(bytes(hex))) << hex;
  }
}

TEST(StagedCodec, SurvivesRandomBytes) {
  std::mt19937 random(7);
  const std::string good = encode_staged("key", std::string(32, 'i'), std::string(40, 'd'));
  for (int round = 0; round < 20'000; ++round) {
    std::string stored = good.substr(0, random() % (good.size() + 1));
    for (unsigned flips = random() % 4; flips > 0 && !stored.empty(); --flips) {
      stored[random() % stored.size()] = static_cast<char>(random());
    }
    try {
      const RecordView record = decode_staged(stored);
      EXPECT_LE(record.key.size() + record.identity.size() + record.data.size(), stored.size());
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::corrupt);
    }
  }
}

}  // namespace
}  // namespace tarn::versioning
