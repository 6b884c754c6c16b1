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

TEST(RowKey, FormatRowIsOutsideEveryPartition) {
  EXPECT_GT(kFormatRow, row_key(std::string(1'024, '\xff'), std::string(1'024, '\xff')));
}

}  // namespace
}  // namespace tarn::kv
