#include "versioning/committed/lru.h"

#include <string>

#include <gtest/gtest.h>

namespace tarn::versioning {
namespace {

using Cache = ShardedLru<std::string, int>;

void put(Cache& cache, const std::string& key, int value, std::uint64_t bytes) {
  cache.put(key, std::make_shared<const int>(value), bytes);
}

TEST(ShardedLru, FindsWhatWasPut) {
  Cache cache(100, 4);
  put(cache, "a", 1, 10);
  ASSERT_TRUE(cache.find("a"));
  EXPECT_EQ(*cache.find("a"), 1);
  EXPECT_FALSE(cache.find("b"));
}

TEST(ShardedLru, DropsTheLeastRecentlyUsedWhenOverItsBytes) {
  Cache cache(30, 1);
  put(cache, "a", 1, 10);
  put(cache, "b", 2, 10);
  put(cache, "c", 3, 10);
  EXPECT_TRUE(cache.find("a"));  // b is now the oldest
  put(cache, "d", 4, 10);
  EXPECT_FALSE(cache.find("b"));
  EXPECT_TRUE(cache.find("a"));
  EXPECT_EQ(cache.bytes(), 30U);
}

TEST(ShardedLru, TakesAnOfferOnlyWhereItFits) {
  Cache cache(30, 1);
  put(cache, "a", 1, 10);
  cache.offer("a", std::make_shared<const int>(9), 10);
  cache.offer("b", std::make_shared<const int>(2), 20);
  cache.offer("c", std::make_shared<const int>(3), 1);
  EXPECT_EQ(*cache.find("a"), 1);
  EXPECT_FALSE(cache.find("c"));
  EXPECT_EQ(cache.bytes(), 30U);
  put(cache, "d", 4, 10);  // what was offered and not read is the first to go
  EXPECT_FALSE(cache.find("b"));
  EXPECT_TRUE(cache.find("a"));
}

TEST(ShardedLru, ReplacesAValueAndItsBytes) {
  Cache cache(100, 1);
  put(cache, "a", 1, 40);
  put(cache, "a", 2, 5);
  EXPECT_EQ(*cache.find("a"), 2);
  EXPECT_EQ(cache.bytes(), 5U);
}

TEST(ShardedLru, FillsOneShardIfTheOthersAreEmpty) {
  struct OneForAll {
    std::size_t operator()(const std::string&) const { return 3; }
  };

  ShardedLru<std::string, int, OneForAll> cache(40, 4);
  for (const std::string key : {"a", "b", "c", "d"})
    cache.put(key, std::make_shared<const int>(1), 10);
  EXPECT_TRUE(cache.find("a"));
  EXPECT_EQ(cache.bytes(), 40U);
}

TEST(ShardedLru, DropsTheLeastRecentlyUsedOfAllShards) {
  struct ByLetter {
    std::size_t operator()(const std::string& key) const {
      return static_cast<std::size_t>(key[0]);
    }
  };

  ShardedLru<std::string, int, ByLetter> cache(30, 4);
  for (const std::string key : {"a1", "b1", "a2"})
    cache.put(key, std::make_shared<const int>(1), 10);
  EXPECT_TRUE(cache.find("a1"));
  cache.put("c1", std::make_shared<const int>(1), 10);
  EXPECT_FALSE(cache.find("b1"));
  EXPECT_TRUE(cache.find("a1"));
  EXPECT_TRUE(cache.find("a2"));
  EXPECT_TRUE(cache.find("c1"));
  EXPECT_EQ(cache.bytes(), 30U);
}

TEST(ShardedLru, KeepsTheNewestValueEvenIfItIsTooLarge) {
  Cache cache(10, 1);
  put(cache, "a", 1, 5);
  put(cache, "big", 2, 50);
  EXPECT_TRUE(cache.find("big"));
  EXPECT_FALSE(cache.find("a"));
  put(cache, "b", 3, 5);
  EXPECT_FALSE(cache.find("big"));
}

}  // namespace
}  // namespace tarn::versioning
