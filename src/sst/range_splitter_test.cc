#include "sst/range_splitter.h"

#include <string>

#include <gtest/gtest.h>

#include "base/hash.h"

namespace tarn::sst {
namespace {

constexpr std::string_view kBreakingKey = "data/204677";

TEST(RangeSplitter, HashesKeysAsTheReferenceDoes) {
  EXPECT_EQ(fnv1a_64(""), 0xcbf29ce484222325U);
  EXPECT_EQ(fnv1a_64("a"), 0xaf63dc4c8601ec8cU);
  EXPECT_EQ(fnv1a_64("foobar"), 0x85944171f73967e8U);
  EXPECT_EQ(fnv1a_64(kBreakingKey), 5'863'914'321'130'150'000U);
}

TEST(RangeSplitter, BreaksFirstAtTheReferencesFirstKey) {
  const SplitParams params;
  int i = 0;
  while (!breaks_after(params, "data/" + std::to_string(i), 1'000))
    ++i;
  EXPECT_EQ("data/" + std::to_string(i), kBreakingKey);
}

TEST(RangeSplitter, BreaksAtTheLargestSizeWhateverTheKey) {
  const SplitParams params{.range_bytes_max = 5'000};
  EXPECT_FALSE(breaks_after(params, "data/1", 4'999));
  EXPECT_TRUE(breaks_after(params, "data/1", 5'000));
}

TEST(RangeSplitter, NeverBreaksBelowTheSmallestSize) {
  const SplitParams params{.range_bytes_min = 2'000};
  EXPECT_FALSE(breaks_after(params, kBreakingKey, 1'999));
  EXPECT_TRUE(breaks_after(params, kBreakingKey, 2'000));
}

TEST(RangeSplitter, LetsTheSmallestSizeWinOverTheLargest) {
  const SplitParams params{.range_bytes_min = 9'000, .range_bytes_max = 5'000};
  EXPECT_FALSE(breaks_after(params, kBreakingKey, 8'999));
  EXPECT_TRUE(breaks_after(params, "data/1", 9'000));
}

}  // namespace
}  // namespace tarn::sst
