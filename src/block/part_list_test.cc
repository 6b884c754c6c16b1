#include "block/part_list.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/hash.h"

namespace tarn::block {
namespace {

TEST(PartList, JoinsEtagsAsS3Does) {
  EXPECT_EQ(joined_etag({md5("a"), md5("b")}), to_hex(md5(md5("a") + md5("b"))) + "-2");
}

TEST(PartList, ComparesEtagsByValue) {
  const auto raw = md5("a");
  const auto hex = to_hex(raw);
  EXPECT_TRUE(part_etag_matches(hex, raw));
  EXPECT_TRUE(part_etag_matches("\"" + hex + "\"", raw));
  for (const auto& etag : {std::string(), std::string("\""), std::string("\"\""), hex + "0",
                           hex.substr(1), "\"" + hex, to_hex(md5("b"))}) {
    EXPECT_FALSE(part_etag_matches(etag, raw)) << etag;
  }
}

TEST(ClampRange, ClampsTheEndOnly) {
  EXPECT_EQ(clamp_range({}, 10).count, 10u);
  EXPECT_EQ(clamp_range({}, 0).count, 0u);
  EXPECT_EQ(clamp_range(ByteRange{3, 5}, 10).first, 3u);
  EXPECT_EQ(clamp_range(ByteRange{3, 5}, 10).count, 3u);
  EXPECT_EQ(clamp_range(ByteRange{0}, UINT64_MAX).count, UINT64_MAX);
  EXPECT_THROW(clamp_range(ByteRange{10}, 10), Error);
  EXPECT_THROW(clamp_range(ByteRange{0}, 0), Error);
}

}  // namespace
}  // namespace tarn::block
