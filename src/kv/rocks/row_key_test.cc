#include "kv/rocks/row_key.h"

#include <string>

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "kv/paged_cursor.h"

namespace tarn::kv {
namespace {

TEST(RowKey, IsLengthThenPartitionThenKey) {
  EXPECT_EQ(to_hex(row_key("ab", "c")), "0002616263");
  EXPECT_EQ(to_hex(row_key(std::string(1'024, 'x'), "")).substr(0, 6), "040078");
  EXPECT_EQ(key_of_row(row_key("ab", "cd"), "ab"), "cd");
}

TEST(RowKey, MovingBytesBetweenPartitionAndKeyMakesAnotherRow) {
  EXPECT_NE(row_key("ab", "c"), row_key("a", "bc"));
  EXPECT_NE(row_key(std::string("a\0", 2), "b"), row_key("a", std::string("\0b", 2)));
}

TEST(RowKey, RowsOfAPartitionAreOneRange) {
  const std::string begin = row_key("ab", "");
  const std::string end = after_prefix(begin);
  for (const char* inside : {"", "a", "\xff\xff\xff"}) {
    EXPECT_LE(begin, row_key("ab", inside));
    EXPECT_LT(row_key("ab", inside), end);
  }
  for (const char* other : {"a", "aa", "ac", "abc", "\xff\xff"}) {
    for (const char* key : {"", "b", "\xff"}) {
      const std::string row = row_key(other, key);
      EXPECT_TRUE(row < begin || row >= end);
    }
  }
}

TEST(RowKey, SplitsIntoWhatWasJoined) {
  for (const std::string& partition : {std::string("p"), std::string(300, '\xff')}) {
    const auto address = split_row(row_key(partition, std::string("k\0", 2)));
    ASSERT_TRUE(address.has_value());
    EXPECT_EQ(address->partition, partition);
    EXPECT_EQ(address->key, std::string("k\0", 2));
  }
  for (const auto& bad : {std::string(), std::string("\0", 1), std::string("\0\0k", 3),
                          std::string("\0\1p", 3), std::string("\4\1") + std::string(2'000, 'x')}) {
    EXPECT_FALSE(split_row(bad).has_value()) << to_hex(bad);
  }
}

TEST(RowKey, EveryRowLiesBelowTheEndOfRows) {
  EXPECT_LT(row_key(std::string(1'024, '\xff'), "\xff"), kRowsEnd);
  EXPECT_GT(kFormatRow, kRowsEnd);
}

TEST(RowKey, FormatRowIsOutsideEveryPartition) {
  EXPECT_GT(kFormatRow, row_key(std::string(1'024, '\xff'), std::string(1'024, '\xff')));
}

}  // namespace
}  // namespace tarn::kv
