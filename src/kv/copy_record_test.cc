#include "kv/copy_record.h"

#include <string>

#include <gtest/gtest.h>

namespace tarn::kv {
namespace {

TEST(CopyRecord, ComesBackAsItWasWhateverBytesItHolds) {
  CopyRecord record{.source = "rocksdb:/a b\nc",
                    .after = Address{std::string("p\0\xff", 3), "k\n"},
                    .rows = 7,
                    .bytes = 1ULL << 40};
  const auto parsed = parse_copy_record(encode_copy_record(record));
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->source, record.source);
  ASSERT_TRUE(parsed->after.has_value());
  EXPECT_EQ(parsed->after->partition, record.after->partition);
  EXPECT_EQ(parsed->after->key, record.after->key);
  EXPECT_EQ(parsed->rows, 7u);
  EXPECT_EQ(parsed->bytes, 1ULL << 40);

  record.after.reset();
  const auto begun = parse_copy_record(encode_copy_record(record));
  ASSERT_TRUE(begun.has_value());
  EXPECT_FALSE(begun->after.has_value());
}

TEST(CopyRecord, RefusesWhatIsNoRecord) {
  const std::string good = encode_copy_record({.source = "s", .after = Address{"p", "k"}});
  EXPECT_TRUE(parse_copy_record(good).has_value());
  for (std::size_t length = 0; length < good.size(); ++length) {
    const auto cut = parse_copy_record(std::string_view(good).substr(0, length));
    // Cut at a line's end it may still be the record of a copy that has only begun.
    EXPECT_TRUE(!cut.has_value() || !cut->after.has_value()) << length;
  }
  for (const char* text : {"", "\n", "tarn kv copy 2\nsource 61\nrows 1\nbytes 1\n",
                           "tarn kv copy 1\nsource 6\nrows 1\nbytes 1\n",
                           "tarn kv copy 1\nsource 61\nrows -1\nbytes 1\n",
                           "tarn kv copy 1\nsource 61\nrows 1\nbytes 1\nkey 61\n",
                           "tarn kv copy 1\nsource 61\nrows 1\nbytes\n"}) {
    EXPECT_FALSE(parse_copy_record(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace tarn::kv
