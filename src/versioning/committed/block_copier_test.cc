// Trees of many blocks with few differences: equal blocks are skipped and copied, and nothing may
// show it.
#include "versioning/committed/block_copier.h"

#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include "base/format.h"
#include "testing/co_test.h"
#include "versioning/committed/tree_test_support.h"

namespace tarn::versioning {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): support of these tests

constexpr std::size_t kRecords = 9'000;

CommittedConfig few_ranges() {
  CommittedConfig config;
  config.range_raggedness_entries = 6'000;
  return config;
}

/// Records of one size, whose cuts stay shifted once they are, or of many.
Content many(std::uint64_t seed, bool one_size) {
  std::mt19937_64 random(seed);
  Content content;
  for (std::size_t i = 0; i < kRecords; ++i) {
    const std::size_t size = one_size ? 60 : 20 + random() % 200;
    content.emplace(format("folder{:02}/file-{:06}", i / 500, i),
                    std::string(size, static_cast<char>('a' + random() % 26)));
  }
  return content;
}

Changes edits_of(const Content& content, std::size_t count, std::mt19937_64& random) {
  Changes changes;
  for (std::size_t i = 0; i < count; ++i) {
    const auto& [key, identity] = *std::next(content.begin(), random() % content.size());
    switch (random() % 5) {
      case 0: changes[key] = std::nullopt; break;
      case 1: changes[key + "+"] = "inserted"; break;
      case 2: changes[key] = std::string(random() % 300, 'Y'); break;
      default: changes[key] = std::string(identity.size(), 'X');
    }
  }
  return changes;
}

Content edited(Content content, const Changes& changes) {
  for (const auto& [key, identity] : changes) {
    if (identity) {
      content[key] = *identity;
    } else {
      content.erase(key);
    }
  }
  return content;
}

std::vector<std::string> differences(const Content& left, const Content& right) {
  std::vector<std::string> lines;
  Content both = left;
  both.insert(right.begin(), right.end());
  for (const auto& [key, unused] : both) {
    const auto l = left.find(key);
    const auto r = right.find(key);
    if (l == left.end()) {
      lines.push_back(format("added {} {}", key, r->second));
    } else if (r == right.end()) {
      lines.push_back(format("removed {} {}", key, l->second));
    } else if (l->second != r->second) {
      lines.push_back(format("changed {} {}", key, r->second));
    }
  }
  return lines;
}

std::vector<std::int64_t> counts(const ChangeSummary& summary) {
  return {summary.added, summary.removed, summary.changed, summary.conflicts};
}

std::size_t edits_in_round(std::size_t round) {
  constexpr std::size_t kEdits[] = {1, 2, 5, 40, 300};
  return kEdits[round % std::size(kEdits)];
}

CO_TEST(EqualBlocks, AreSkippedByDiffsUnseen) {
  std::mt19937_64 random(1);
  for (std::size_t round = 0; round < 10; ++round) {
    Trees trees(few_ranges());
    const Content base = many(round, round % 2 == 0);
    const Content ours = edited(base, edits_of(base, edits_in_round(round), random));
    const Changes changes = edits_of(base, edits_in_round(round), random);
    const Content theirs = edited(base, changes);
    const MetaRangeId root = co_await trees.write(ctx, base);
    const MetaRangeId derived = (co_await trees.apply(ctx, root, changes)).id;
    const MetaRangeId unrelated = co_await trees.write(ctx, ours);  // shares no block by name
    const std::string space(kSpace);
    EXPECT_EQ(co_await collect(ctx, trees.committed.diff(space, root, derived)),
              differences(base, theirs));
    EXPECT_EQ(co_await collect(ctx, trees.committed.diff(space, derived, root)),
              differences(theirs, base));
    EXPECT_EQ(co_await collect(ctx, trees.committed.diff(space, unrelated, derived)),
              differences(ours, theirs));
    // Nothing changed in the destination: what a merge would see is the two-dot difference.
    EXPECT_EQ(co_await collect(ctx, trees.committed.compare(space, root, derived, root)),
              differences(base, theirs));
  }
}

CO_TEST(EqualBlocks, GiveTheTreeOfAFullRewriteWhenMerged) {
  std::mt19937_64 random(2);
  for (std::size_t round = 0; round < 10; ++round) {
    Trees trees(few_ranges());
    const Content base = many(round, round % 2 == 0);
    Changes ours = edits_of(base, edits_in_round(round), random);
    const Changes theirs = edits_of(base, edits_in_round(round), random);
    std::erase_if(ours, [&](const auto& change) { return theirs.contains(change.first); });
    const MetaRangeId root = co_await trees.write(ctx, base);
    const MetaRangeId destination = (co_await trees.apply(ctx, root, ours)).id;
    const MetaRangeId source = (co_await trees.apply(ctx, root, theirs)).id;
    const TreeMergeResult merged =
        co_await trees.committed.merge(ctx, kSpace, destination, source, root, MergeStrategy::none);
    const Content expected = edited(edited(base, ours), theirs);
    EXPECT_EQ(merged.summary.conflicts, 0) << round;
    EXPECT_EQ(co_await trees.read(ctx, merged.id), expected) << round;
    // The same work where every block is new to the process, and so nothing is copied.
    Trees afresh(trees.objects, few_ranges());
    const TreeMergeResult again = co_await afresh.committed.merge(ctx, kSpace, destination, source,
                                                                  root, MergeStrategy::none);
    EXPECT_EQ(merged.id, again.id) << round;
    EXPECT_EQ(counts(merged.summary), counts(again.summary)) << round;
    Trees reopened(trees.objects, few_ranges());
    EXPECT_EQ(co_await reopened.read(ctx, merged.id), expected) << round;
  }
}

CO_TEST(EqualBlocks, GiveTheSameTreeCommitAfterCommit) {
  std::mt19937_64 random(3);
  for (std::size_t round = 0; round < 5; ++round) {
    Trees trees(few_ranges());
    Content content = many(round, round % 2 == 0);
    MetaRangeId tree = co_await trees.write(ctx, content);
    for (std::size_t commit = 0; commit < 6; ++commit) {
      const Changes changes = edits_of(content, edits_in_round(random()), random);
      Trees afresh(trees.objects, few_ranges());  // copies nothing
      const ApplyResult slow = co_await afresh.apply(ctx, tree, changes);
      const ApplyResult fast = co_await trees.apply(ctx, tree, changes);
      EXPECT_EQ(fast.id, slow.id) << round << ' ' << commit;
      EXPECT_EQ(counts(fast.summary), counts(slow.summary)) << round << ' ' << commit;
      tree = fast.id;
      content = edited(std::move(content), changes);
      Trees reopened(trees.objects, few_ranges());
      EXPECT_EQ(co_await reopened.read(ctx, tree), content) << round << ' ' << commit;
    }
  }
}

}  // namespace
}  // namespace tarn::versioning
