// The commit algorithm of storage-format.md 4.3.
#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include "base/format.h"
#include "testing/co_test.h"
#include "versioning/committed/tree_test_support.h"

namespace tarn::versioning {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): support of these tests

/// One range per tree written with it.
CommittedConfig one_range() {
  return {};
}

Content numbered(int count) {
  Content content;
  for (int i = 0; i < count; ++i)
    content.emplace(format("k{:04}", i), format("v{}", i));
  return content;
}

CO_TEST(Apply, AddsChangesAndRemoves) {
  Trees trees;
  const MetaRangeId base = co_await trees.write(ctx, {{"a", "1"}, {"b", "2"}, {"c", "3"}});
  const ApplyResult result = co_await trees.apply(
      ctx, base, {{"a", "9"}, {"b", std::nullopt}, {"d", "4"}, {"e", std::nullopt}});
  EXPECT_EQ(result.summary.changed, 1);
  EXPECT_EQ(result.summary.removed, 1);
  EXPECT_EQ(result.summary.added, 1);
  EXPECT_EQ(co_await trees.read(ctx, result.id), (Content{{"a", "9"}, {"c", "3"}, {"d", "4"}}));
}

CO_TEST(Apply, KeepsTheBaseRecordWhenTheIdentityIsEqual) {
  class Rewritten final : public RecordStream {
   public:
    bool next() override { return !std::exchange(done_, true); }

    Task<bool> fill(Context&) override { co_return next(); }

    void seek(std::string_view) override {}

    const RecordView& record() const override { return record_; }

   private:
    bool done_ = false;
    RecordView record_{.key = "a", .identity = "1", .data = "another address"};
  };

  Trees trees;
  const MetaRangeId base = co_await trees.write(ctx, {{"a", "1"}, {"b", "2"}});
  Rewritten changes;
  const ApplyResult result = co_await trees.committed.apply(ctx, kSpace, base, changes);
  EXPECT_EQ(result.summary.changed, 0);
  EXPECT_EQ(result.id, base);
  const auto value = co_await trees.committed.get(ctx, kSpace, result.id, "a");
  CO_ASSERT_TRUE(value);
  EXPECT_EQ(value->data, data_of("1"));
}

CO_TEST(Apply, IgnoresATombstoneOverNothing) {
  Trees trees;
  const MetaRangeId base = co_await trees.write(ctx, {{"b", "2"}});
  const ApplyResult result =
      co_await trees.apply(ctx, base, {{"a", std::nullopt}, {"c", std::nullopt}});
  EXPECT_EQ(result.id, base);
  EXPECT_EQ(result.summary.removed, 0);
}

CO_TEST(Apply, GivesTheBaseBackWithoutChanges) {
  Trees trees;
  const MetaRangeId base = co_await trees.write(ctx, numbered(100));
  EXPECT_EQ((co_await trees.apply(ctx, base, {})).id, base);
}

CO_TEST(Apply, ReusesRangesThatEndBeforeTheNextChange) {
  Trees trees;
  const MetaRangeId base = co_await trees.write(ctx, numbered(200));
  const auto before = co_await trees.committed.ranges(ctx, kSpace, base);
  CO_ASSERT_GE(before.size(), 5U);
  const std::string inside = before[2].min_key;
  const ApplyResult result = co_await trees.apply(ctx, base, {{inside, "new"}});
  const auto after = co_await trees.committed.ranges(ctx, kSpace, result.id);
  CO_ASSERT_EQ(after.size(), before.size());
  for (std::size_t i = 0; i < before.size(); ++i)
    EXPECT_EQ(after[i].id == before[i].id, i != 2) << i;
}

// 4.3 asks only whether a range ends before the change, so one that starts after it is rewritten.
CO_TEST(Apply, EntersTheRangeThatFollowsAChange) {
  Trees trees(one_range());
  const MetaRangeId base = co_await trees.write(ctx, {{"m", "1"}, {"n", "2"}});
  const ApplyResult result = co_await trees.apply(ctx, base, {{"a", "0"}});
  const auto ranges = co_await trees.committed.ranges(ctx, kSpace, result.id);
  CO_ASSERT_EQ(ranges.size(), 1U);
  EXPECT_EQ(ranges[0].count, 3);
}

CO_TEST(Apply, PutsChangesBehindAllRangesIntoARangeOfTheirOwn) {
  Trees trees(one_range());
  const MetaRangeId base = co_await trees.write(ctx, {{"m", "1"}, {"n", "2"}});
  const ApplyResult result = co_await trees.apply(ctx, base, {{"z", "0"}});
  const auto before = co_await trees.range_ids(ctx, base);
  const auto after = co_await trees.range_ids(ctx, result.id);
  CO_ASSERT_EQ(after.size(), 2U);
  EXPECT_EQ(after[0], before[0]);
}

CO_TEST(Apply, DropsARangeThatLosesAllItsRecords) {
  Trees trees;
  const MetaRangeId base = co_await trees.write(ctx, numbered(100));
  const auto before = co_await trees.committed.ranges(ctx, kSpace, base);
  CO_ASSERT_GE(before.size(), 3U);
  Changes removals;
  for (const auto& [key, identity] : numbered(100)) {
    if (key >= before[1].min_key && key <= before[1].max_key) removals.emplace(key, std::nullopt);
  }
  const ApplyResult result = co_await trees.apply(ctx, base, removals);
  auto expected = co_await trees.range_ids(ctx, base);
  expected.erase(expected.begin() + 1);
  EXPECT_EQ(co_await trees.range_ids(ctx, result.id), expected);
}

Content many(std::uint64_t seed, std::size_t count) {
  std::mt19937_64 random(seed);
  Content content;
  for (std::size_t i = 0; i < count; ++i)
    content.emplace(format("folder{:02}/file-{:06}", i / 500, i),
                    std::string(20 + random() % 200, static_cast<char>('a' + random() % 26)));
  return content;
}

// Blocks far from a change are copied; nothing may show it.
CO_TEST(Apply, GivesTheTreeOfAFullRewriteOverLargeRanges) {
  CommittedConfig config;
  config.range_raggedness_entries = 3'000;
  std::mt19937_64 random(5);
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    Trees trees(config);
    Content content = many(seed, 12'000);
    MetaRangeId tree = co_await trees.write(ctx, content);
    for (int commit = 0; commit < 3; ++commit) {
      Changes changes;
      for (std::size_t edits = 1 + random() % 4; edits > 0; --edits) {
        const std::string key = std::next(content.begin(), random() % content.size())->first;
        switch (random() % 4) {
          case 0: changes[key] = std::nullopt; break;
          case 1: changes[key + "+"] = "inserted"; break;
          default: changes[key] = std::string(content[key].size(), 'X');
        }
      }
      for (const auto& [key, identity] : changes) {
        if (identity) {
          content[key] = *identity;
        } else {
          content.erase(key);
        }
      }
      tree = (co_await trees.apply(ctx, tree, changes)).id;
      Trees afresh(config);
      const MetaRangeId expected = co_await afresh.write(ctx, content);
      EXPECT_EQ(co_await trees.read(ctx, tree), content);
      // Cuts of ranges depend on history where a change falls between two of them.
      if ((co_await trees.range_ids(ctx, tree)) == (co_await afresh.range_ids(ctx, expected))) {
        EXPECT_EQ(tree, expected) << seed;
      } else {
        ADD_FAILURE() << "other ranges, seed " << seed;
      }
    }
  }
}

CO_TEST(Apply, RefusesUnsortedChanges) {
  class Unsorted final : public RecordStream {
   public:
    bool next() override {
      record_.key = record_.key.empty() ? "b" : "a";
      return count_++ < 2;
    }

    Task<bool> fill(Context&) override { co_return next(); }

    void seek(std::string_view) override {}

    const RecordView& record() const override { return record_; }

   private:
    int count_ = 0;
    RecordView record_;
  };

  Trees trees;
  Unsorted changes;
  CO_EXPECT_ERROR(trees.committed.apply(ctx, kSpace, "", changes), ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace tarn::versioning
