// The rules of storage-format.md 4.4 that decide which ranges a merge reuses, one by one. Trees are
// made of hand-cut ranges: each inner map of `pieces` becomes a range of its own.
#include "versioning/committed/tree_merge.h"

#include <gtest/gtest.h>

#include "testing/co_test.h"
#include "versioning/committed/tree_test_support.h"

namespace tarn::versioning {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): support of these tests

using Pieces = std::vector<Content>;

/// Ranges break nowhere by themselves.
struct Cut : Trees {
  Cut() : Trees(CommittedConfig{.range_bytes_min = 1 << 20}) {}

  Task<RangeInfo> range(Context& ctx, Content piece) {
    const MetaRangeId tree = co_await write(ctx, piece);
    co_return (co_await committed.ranges(ctx, kSpace, tree)).at(0);
  }

  Task<MetaRangeId> tree(Context& ctx, Pieces pieces) {
    auto writer = committed.writer(std::string(kSpace));
    for (Content& piece : pieces)
      co_await writer->write_range(ctx, co_await range(ctx, std::move(piece)));
    co_return (co_await writer->close(ctx)).id;
  }

  /// The result as pieces; whole ranges are thus seen as they were cut.
  Task<Pieces> pieces_of(Context& ctx, MetaRangeId id) {
    Pieces pieces;
    const auto stream = committed.open(std::string(kSpace), id);
    std::string last_range;
    while (stream->next() || co_await stream->fill(ctx)) {
      if (stream->range().id != last_range) pieces.emplace_back();
      last_range = stream->range().id;
      pieces.back().emplace(stream->record().key, stream->record().identity);
    }
    co_return pieces;
  }

  Task<Pieces> merge(Context& ctx, Pieces destination, Pieces source, Pieces base,
                     MergeStrategy strategy = MergeStrategy::none) {
    const MetaRangeId d = co_await tree(ctx, std::move(destination));
    const MetaRangeId s = co_await tree(ctx, std::move(source));
    const MetaRangeId b = co_await tree(ctx, std::move(base));
    last = co_await committed.merge(ctx, kSpace, d, s, b, strategy);
    if (last.id.empty()) co_return Pieces{};
    co_return co_await pieces_of(ctx, last.id);
  }

  TreeMergeResult last;
};

const Content kA{{"a", "1"}, {"c", "1"}};
const Content kB{{"m", "1"}, {"o", "1"}};
const Content kZ{{"x", "1"}, {"z", "1"}};

CO_TEST(TreeMerge, GivesTheDestinationWhenTheSourceIsTheBase) {
  Cut cut;
  EXPECT_EQ(co_await cut.merge(ctx, {kA, kB}, {kA}, {kA}), (Pieces{kA, kB}));
}

CO_TEST(TreeMerge, NamesTheEmptyTreeWhenTheSourceIsTheBase) {
  Cut cut;
  const MetaRangeId same = co_await cut.tree(ctx, {kA});
  const TreeMergeResult merged =
      co_await cut.committed.merge(ctx, kSpace, MetaRangeId(), same, same, MergeStrategy::none);
  // storage-format.md 9.4: the metarange of no records.
  EXPECT_EQ(merged.id, "00fb7eff1a97c500eb3ca8d2ef5464131d6b6a5f9512e41eba97843522213b66");
}

CO_TEST(TreeMerge, GivesTheSourceWhenTheDestinationIsTheBase) {
  Cut cut;
  EXPECT_EQ(co_await cut.merge(ctx, {kA}, {kA, kB}, {kA}), (Pieces{kA, kB}));
}

CO_TEST(TreeMerge, KeepsARangeBothSidesHave) {
  Cut cut;
  EXPECT_EQ(co_await cut.merge(ctx, {kA, kB}, {kA, kZ}, {}), (Pieces{kA, kB, kZ}));
}

CO_TEST(TreeMerge, TakesTheOtherSideOfARangeOneSideLeftAlone) {
  Cut cut;
  const Content changed{{"a", "1"}, {"b", "2"}, {"c", "1"}};
  EXPECT_EQ(co_await cut.merge(ctx, {kA, kZ}, {changed}, {kA}), (Pieces{changed, kZ}));
  EXPECT_EQ(co_await cut.merge(ctx, {changed}, {kA, kZ}, {kA}), (Pieces{changed, kZ}));
}

CO_TEST(TreeMerge, EntersRangesOfEqualBoundsThatBothChanged) {
  Cut cut;
  const Content left{{"a", "1"}, {"b", "2"}, {"c", "1"}};
  const Content right{{"a", "1"}, {"bb", "3"}, {"c", "1"}};
  const Content both{{"a", "1"}, {"b", "2"}, {"bb", "3"}, {"c", "1"}};
  EXPECT_EQ(co_await cut.merge(ctx, {left}, {right}, {kA}), (Pieces{both}));
}

CO_TEST(TreeMerge, TakesARangeBeforeTheOthersThatTheBaseLacks) {
  Cut cut;
  EXPECT_EQ(co_await cut.merge(ctx, {kB}, {kA}, {}), (Pieces{kA, kB}));
  EXPECT_EQ(co_await cut.merge(ctx, {kA}, {kB}, {kZ}), (Pieces{kA, kB}));
}

CO_TEST(TreeMerge, DropsARangeTheOtherSideDeleted) {
  Cut cut;
  EXPECT_EQ(co_await cut.merge(ctx, {kB}, {kA, kB, kZ}, {kA, kB}), (Pieces{kB, kZ}));
  EXPECT_EQ(co_await cut.merge(ctx, {kA, kB, kZ}, {kB}, {kA, kB}), (Pieces{kB, kZ}));
  EXPECT_EQ(cut.last.summary.removed, 2);
}

// The range before differs from the base's, so both sides are entered, and the second, untouched
// range is written anew together with what is left of the first.
CO_TEST(TreeMerge, EntersBothSidesWhenARangeBeforeTheOtherDiffersFromTheBase) {
  Cut cut;
  const Content more{{"a", "1"}, {"b", "2"}, {"c", "1"}};
  const Pieces merged = co_await cut.merge(ctx, {kB, kZ}, {more, kB}, {kA, kB});
  EXPECT_EQ(merged, (Pieces{{{"b", "2"}, {"m", "1"}, {"o", "1"}}, kZ}));
}

CO_TEST(TreeMerge, HandlesAHeadBeforeTheRecordTheOtherSideStandsAt) {
  Cut cut;
  // The overlap makes both sides be entered; the source is then inside at "p" while the
  // destination reaches the head of {d..e}, then of {y..z}.
  const Pieces destination{{{"a", "1"}, {"b", "2"}}, {{"d", "1"}, {"e", "1"}}, kZ};
  const Pieces source{{{"a", "1"}, {"c", "3"}, {"p", "1"}}};
  EXPECT_EQ(
      co_await cut.merge(ctx, destination, source, {}),
      (Pieces{{{"a", "1"}, {"b", "2"}, {"c", "3"}}, {{"d", "1"}, {"e", "1"}}, {{"p", "1"}}, kZ}));
  // The base has that range: the source deleted it.
  EXPECT_EQ(co_await cut.merge(ctx, destination, source, {{{"d", "1"}, {"e", "1"}}}),
            (Pieces{{{"a", "1"}, {"b", "2"}, {"c", "3"}, {"p", "1"}}, kZ}));
  // The base has it otherwise: it is entered, and its records are judged one by one.
  EXPECT_EQ(co_await cut.merge(ctx, destination, source, {{{"d", "1"}}}),
            (Pieces{{{"a", "1"}, {"b", "2"}, {"c", "3"}, {"e", "1"}, {"p", "1"}}, kZ}));
}

CO_TEST(TreeMerge, EntersAHeadTheOtherSidesRecordLiesIn) {
  Cut cut;
  const Pieces destination{{{"a", "1"}, {"b", "2"}}, {{"d", "1"}, {"q", "1"}}};
  const Pieces source{{{"a", "1"}, {"c", "3"}, {"p", "1"}}};
  EXPECT_EQ(co_await cut.merge(ctx, destination, source, {}),
            (Pieces{{{"a", "1"}, {"b", "2"}, {"c", "3"}, {"d", "1"}, {"p", "1"}, {"q", "1"}}}));
}

CO_TEST(TreeMerge, KeepsDropsAndEntersWhatIsLeftWhenASideIsExhausted) {
  Cut cut;
  const Content changed_z{{"x", "1"}, {"y", "2"}, {"z", "1"}};
  EXPECT_EQ(co_await cut.merge(ctx, {kA}, {kA, kB, kZ}, {kB}), (Pieces{kA, kZ}));
  EXPECT_EQ(co_await cut.merge(ctx, {kA, kB, kZ}, {kA}, {kB}), (Pieces{kA, kZ}));
  EXPECT_EQ(co_await cut.merge(ctx, {kA}, {kA, kB, changed_z}, {kA, kZ}),
            (Pieces{kA, kB, {{"y", "2"}}}));
}

CO_TEST(TreeMerge, ReportsALoneKeyTheOtherSideDeletedAndThisOneChanged) {
  Cut cut;
  const Pieces base{{{"a", "1"}, {"b", "1"}, {"c", "1"}}};
  const Pieces changed{{{"a", "1"}, {"b", "2"}, {"c", "1"}}};
  const Pieces deleted{{{"a", "1"}, {"c", "1"}, {"d", "1"}}};
  EXPECT_EQ(co_await cut.merge(ctx, changed, deleted, base), Pieces{});
  EXPECT_EQ(cut.last.first_conflict, "b");
  EXPECT_EQ(cut.last.summary.conflicts, 1);
  const Pieces with{{{"a", "1"}, {"b", "2"}, {"c", "1"}, {"d", "1"}}};
  const Pieces without{{{"a", "1"}, {"c", "1"}, {"d", "1"}}};
  EXPECT_EQ(co_await cut.merge(ctx, changed, deleted, base, MergeStrategy::destination_wins), with);
  EXPECT_EQ(co_await cut.merge(ctx, changed, deleted, base, MergeStrategy::source_wins), without);
  EXPECT_EQ(co_await cut.merge(ctx, deleted, changed, base, MergeStrategy::source_wins), with);
  EXPECT_EQ(co_await cut.merge(ctx, deleted, changed, base, MergeStrategy::destination_wins),
            without);
}

CO_TEST(TreeMerge, ReportsAKeyBothSidesChanged) {
  Cut cut;
  const Pieces base{{{"a", "1"}, {"b", "1"}}};
  const Pieces left{{{"a", "1"}, {"b", "2"}}};
  const Pieces right{{{"a", "1"}, {"b", "3"}}};
  EXPECT_EQ(co_await cut.merge(ctx, left, right, base), Pieces{});
  EXPECT_EQ(cut.last.first_conflict, "b");
  EXPECT_EQ(co_await cut.merge(ctx, left, right, base, MergeStrategy::source_wins), right);
  EXPECT_EQ(co_await cut.merge(ctx, left, right, base, MergeStrategy::destination_wins), left);
}

// An equal identity under a later key of the base is not a match (8.3 #7).
CO_TEST(TreeMerge, ChecksTheKeyOfTheBaseRecordItComparesWith) {
  Cut cut;
  const Pieces left{{{"a", "1"}, {"b", "2"}, {"d", "9"}}};
  const Pieces right{{{"a", "1"}, {"b", "3"}, {"d", "9"}}};
  const Pieces base{{{"a", "1"}, {"c", "2"}}};
  EXPECT_EQ(co_await cut.merge(ctx, left, right, base), Pieces{});
  EXPECT_EQ(cut.last.first_conflict, "b");
}

CO_TEST(TreeMerge, GivesTheSameContentForDisjointChangesEitherWay) {
  Cut cut;
  const Pieces base{kA, kB};
  const Pieces left{{{"a", "2"}, {"c", "1"}}, kB};
  const Pieces right{kA, {{"m", "1"}, {"o", "2"}}};
  const Pieces both{{{"a", "2"}, {"c", "1"}}, {{"m", "1"}, {"o", "2"}}};
  EXPECT_EQ(co_await cut.merge(ctx, left, right, base), both);
  const MetaRangeId one = cut.last.id;
  EXPECT_EQ(co_await cut.merge(ctx, right, left, base), both);
  EXPECT_EQ(cut.last.id, one);
}

}  // namespace
}  // namespace tarn::versioning
