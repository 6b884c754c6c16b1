// Random trees of small ranges against maps: apply, get, diff, compare, merge.
#include <algorithm>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "base/format.h"
#include "testing/co_test.h"
#include "versioning/committed/tree_test_support.h"

namespace tarn::versioning {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): support of these tests

using Random = std::mt19937;

int below(Random& random, int bound) {
  return std::uniform_int_distribution<int>(0, bound - 1)(random);
}

std::string key_of(int i) {
  return format("dir{}/k{:04}", i / 50, i);
}

constexpr int kKeys = 400;

/// A few edits near each other, or many all over, or whole stretches.
Changes random_changes(Random& random, const Content& content) {
  Changes changes;
  const int kind = below(random, 4);
  if (kind == 0) {  // a stretch of keys goes
    const int from = below(random, kKeys);
    const int to = from + below(random, 80);
    for (auto at = content.lower_bound(key_of(from)); at != content.end() && at->first < key_of(to);
         ++at)
      changes.emplace(at->first, std::nullopt);
    return changes;
  }
  const int count = kind == 1 ? 1 + below(random, 3) : 1 + below(random, 40);
  const int from = below(random, kKeys);
  const int width = kind == 3 ? kKeys : 60;
  for (int i = 0; i < count; ++i) {
    const std::string key = key_of((from + below(random, width)) % kKeys);
    if (below(random, 3) == 0) {
      changes.insert_or_assign(key, std::nullopt);
    } else {
      changes.insert_or_assign(key, format("v{}", below(random, 3)));
    }
  }
  return changes;
}

Content changed(Content content, const Changes& changes) {
  for (const auto& [key, identity] : changes) {
    content.erase(key);
    if (identity) content.emplace(key, *identity);
  }
  return content;
}

struct Version {
  MetaRangeId id;
  Content content;
};

/// A tree reached by a random number of commits.
Task<Version> grow(Context& ctx, Trees& trees, Random& random, Version from, int commits) {
  for (int i = 0; i < commits; ++i) {
    const Changes changes = random_changes(random, from.content);
    from.content = changed(std::move(from.content), changes);
    from.id = (co_await trees.apply(ctx, from.id, changes)).id;
  }
  co_return from;
}

Task<Version> random_root(Context& ctx, Trees& trees, Random& random) {
  Version root;
  const int count = below(random, 4) == 0 ? 0 : below(random, kKeys);
  for (int i = 0; i < count; ++i)
    root.content.insert_or_assign(key_of(below(random, kKeys)), format("v{}", below(random, 3)));
  root.id = co_await trees.write(ctx, root.content);
  co_return root;
}

using MaybeIdentity = std::optional<std::string>;

MaybeIdentity at(const Content& content, const std::string& key) {
  const auto found = content.find(key);
  return found == content.end() ? MaybeIdentity() : found->second;
}

std::set<std::string> keys_of(std::initializer_list<const Content*> contents) {
  std::set<std::string> keys;
  for (const Content* content : contents) {
    for (const auto& [key, identity] : *content)
      keys.insert(key);
  }
  return keys;
}

std::vector<std::string> expected_diff(const Content& left, const Content& right) {
  std::vector<std::string> out;
  for (const std::string& key : keys_of({&left, &right})) {
    const auto l = at(left, key), r = at(right, key);
    if (l == r) continue;
    out.push_back(!l   ? "added " + key + " " + *r
                  : !r ? "removed " + key + " " + *l
                       : "changed " + key + " " + *r);
  }
  return out;
}

std::vector<std::string> expected_compare(const Content& destination, const Content& source,
                                          const Content& base) {
  std::vector<std::string> out;
  for (const std::string& key : keys_of({&destination, &source, &base})) {
    const auto l = at(destination, key), r = at(source, key), b = at(base, key);
    if (r == b || r == l) continue;
    const std::string type = l != b ? "conflict " : !b ? "added " : !r ? "removed " : "changed ";
    out.push_back(type + key + " " + (r ? *r : *l));
  }
  return out;
}

struct Merged {
  Content content;
  std::string first_conflict;
};

Merged expected_merge(const Content& destination, const Content& source, const Content& base,
                      MergeStrategy strategy) {
  Merged out;
  for (const std::string& key : keys_of({&destination, &source, &base})) {
    const auto d = at(destination, key), s = at(source, key), b = at(base, key);
    MaybeIdentity result = d;
    if (s != d && s != b) {
      if (d == b || strategy == MergeStrategy::source_wins) result = s;
      if (d != b && out.first_conflict.empty()) out.first_conflict = key;
    }
    if (result) out.content.emplace(key, *result);
  }
  return out;
}

constexpr MergeStrategy kStrategies[] = {MergeStrategy::none, MergeStrategy::destination_wins,
                                         MergeStrategy::source_wins};

Task<> check_merge(Context& ctx, Trees& trees, const Version& destination, const Version& source,
                   const Version& base) {
  for (const MergeStrategy strategy : kStrategies) {
    const Merged expected =
        expected_merge(destination.content, source.content, base.content, strategy);
    const TreeMergeResult result =
        co_await trees.committed.merge(ctx, kSpace, destination.id, source.id, base.id, strategy);
    if (strategy == MergeStrategy::none && !expected.first_conflict.empty()) {
      EXPECT_EQ(result.first_conflict, expected.first_conflict);
      EXPECT_EQ(result.summary.conflicts, 1);
      EXPECT_EQ(result.id, "");
      continue;
    }
    EXPECT_EQ(result.first_conflict, expected.first_conflict);
    EXPECT_EQ(co_await trees.read(ctx, result.id), expected.content);
    // The same merge gives the same tree.
    const TreeMergeResult again =
        co_await trees.committed.merge(ctx, kSpace, destination.id, source.id, base.id, strategy);
    EXPECT_EQ(again.id, result.id);
  }
}

CO_TEST(TreeModel, AppliesAndReadsLikeAMap) {
  for (unsigned seed = 0; seed < 30; ++seed) {
    Trees trees;
    Random random(seed);
    const Version root = co_await random_root(ctx, trees, random);
    const Version tip = co_await grow(ctx, trees, random, root, 4);
    EXPECT_EQ(co_await trees.read(ctx, tip.id), tip.content) << seed;
    EXPECT_EQ(co_await trees.read(ctx, root.id), root.content) << seed;
    std::vector<std::string> keys;
    for (int i = 0; i < kKeys; i += 1 + below(random, 5))
      keys.push_back(key_of(i));
    const auto many = co_await trees.committed.get_many(ctx, kSpace, tip.id, keys);
    CO_ASSERT_EQ(many.size(), keys.size());
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const auto one = co_await trees.committed.get(ctx, kSpace, tip.id, keys[i]);
      EXPECT_EQ(one, many[i]) << keys[i];
      EXPECT_EQ(one ? MaybeIdentity(one->identity) : MaybeIdentity(), at(tip.content, keys[i]));
    }
  }
}

CO_TEST(TreeModel, CountsWhatApplyDoes) {
  for (unsigned seed = 100; seed < 130; ++seed) {
    Trees trees;
    Random random(seed);
    const Version root = co_await random_root(ctx, trees, random);
    const Changes changes = random_changes(random, root.content);
    const ApplyResult result = co_await trees.apply(ctx, root.id, changes);
    ChangeSummary expected;
    for (const std::string& line : expected_diff(root.content, changed(root.content, changes))) {
      expected.added += line.starts_with("added ") ? 1 : 0;
      expected.removed += line.starts_with("removed ") ? 1 : 0;
      expected.changed += line.starts_with("changed ") ? 1 : 0;
    }
    EXPECT_EQ(result.summary.added, expected.added) << seed;
    EXPECT_EQ(result.summary.removed, expected.removed) << seed;
    EXPECT_EQ(result.summary.changed, expected.changed) << seed;
  }
}

CO_TEST(TreeModel, DiffsLikeMaps) {
  for (unsigned seed = 200; seed < 240; ++seed) {
    Trees trees;
    Random random(seed);
    const Version root = co_await random_root(ctx, trees, random);
    const Version left = co_await grow(ctx, trees, random, root, below(random, 3));
    const Version right = co_await grow(ctx, trees, random, root, below(random, 3));
    const std::string space(kSpace);
    EXPECT_EQ(co_await collect(ctx, trees.committed.diff(space, left.id, right.id)),
              expected_diff(left.content, right.content))
        << seed;
    EXPECT_EQ(co_await collect(ctx, trees.committed.diff(space, right.id, left.id)),
              expected_diff(right.content, left.content))
        << seed;
    EXPECT_TRUE((co_await collect(ctx, trees.committed.diff(space, left.id, left.id))).empty());
  }
}

CO_TEST(TreeModel, ComparesLikeMaps) {
  for (unsigned seed = 300; seed < 340; ++seed) {
    Trees trees;
    Random random(seed);
    const Version root = co_await random_root(ctx, trees, random);
    const Version left = co_await grow(ctx, trees, random, root, below(random, 4));
    const Version right = co_await grow(ctx, trees, random, root, below(random, 4));
    EXPECT_EQ(co_await collect(
                  ctx, trees.committed.compare(std::string(kSpace), left.id, right.id, root.id)),
              expected_compare(left.content, right.content, root.content))
        << seed;
  }
}

CO_TEST(TreeModel, ComparesAfterASharedPast) {
  for (unsigned seed = 350; seed < 370; ++seed) {
    Trees trees;
    Random random(seed);
    const Version root = co_await random_root(ctx, trees, random);
    const Version shared = co_await grow(ctx, trees, random, root, 3);
    const Version left = co_await grow(ctx, trees, random, shared, 1);
    const Version right = co_await grow(ctx, trees, random, shared, 1);
    EXPECT_EQ(co_await collect(
                  ctx, trees.committed.compare(std::string(kSpace), left.id, right.id, root.id)),
              expected_compare(left.content, right.content, root.content))
        << seed;
  }
}

CO_TEST(TreeModel, DiffsFromASoughtKeyForwardAndBack) {
  for (unsigned seed = 400; seed < 415; ++seed) {
    Trees trees;
    Random random(seed);
    const Version root = co_await random_root(ctx, trees, random);
    const Version left = co_await grow(ctx, trees, random, root, 2);
    const Version right = co_await grow(ctx, trees, random, root, 2);
    const auto two = trees.committed.diff(std::string(kSpace), left.id, right.id);
    const auto three = trees.committed.compare(std::string(kSpace), left.id, right.id, root.id);
    const auto all_two = expected_diff(left.content, right.content);
    const auto all_three = expected_compare(left.content, right.content, root.content);
    const auto first_from = [](const std::vector<std::string>& all, const std::string& key) {
      for (const std::string& line : all) {
        const std::size_t from = line.find(' ') + 1;
        const std::string seen = line.substr(from, line.rfind(' ') - from);
        if (seen >= key) return seen;
      }
      return std::string("none");
    };
    for (int i = 0; i < 40; ++i) {
      const std::string key = key_of(below(random, kKeys));
      two->seek(key);
      const bool found_two = two->next() || co_await two->fill(ctx);
      EXPECT_EQ(found_two ? two->difference().key : "none", first_from(all_two, key));
      three->seek(key);
      const bool found_three = three->next() || co_await three->fill(ctx);
      EXPECT_EQ(found_three ? three->difference().key : "none", first_from(all_three, key));
    }
  }
}

CO_TEST(TreeModel, MergesLikeMaps) {
  for (unsigned seed = 500; seed < 580; ++seed) {
    Trees trees;
    Random random(seed);
    const Version root = co_await random_root(ctx, trees, random);
    const Version left = co_await grow(ctx, trees, random, root, below(random, 4));
    const Version right = co_await grow(ctx, trees, random, root, below(random, 4));
    SCOPED_TRACE(seed);
    co_await check_merge(ctx, trees, left, right, root);
    co_await check_merge(ctx, trees, right, left, root);
  }
}

CO_TEST(TreeModel, MergesUnrelatedTreesLikeMaps) {
  for (unsigned seed = 600; seed < 640; ++seed) {
    Trees trees;
    Random random(seed);
    const Version a = co_await random_root(ctx, trees, random);
    const Version b = co_await random_root(ctx, trees, random);
    const Version c = co_await random_root(ctx, trees, random);
    SCOPED_TRACE(seed);
    co_await check_merge(ctx, trees, a, b, c);
  }
}

CO_TEST(TreeModel, RevertRestoresTheTree) {
  for (unsigned seed = 700; seed < 720; ++seed) {
    Trees trees;
    Random random(seed);
    const Version before = co_await random_root(ctx, trees, random);
    const Version after = co_await grow(ctx, trees, random, before, 1);
    const Version tip = co_await grow(ctx, trees, random, after, 0);
    const TreeMergeResult reverted = co_await trees.committed.merge(ctx, kSpace, tip.id, before.id,
                                                                    after.id, MergeStrategy::none);
    EXPECT_EQ(reverted.id, before.id) << seed;
  }
}

}  // namespace
}  // namespace tarn::versioning
