// Walks over made-up histories: log order and merge bases.
#include <gtest/gtest.h>

#include "kv/mem/mem_store.h"
#include "testing/co_test.h"
#include "versioning/refs/log_walk.h"
#include "versioning/refs/merge_base.h"
#include "versioning/testing/records.h"

namespace tarn::versioning {
namespace {

using testing::commit_id;
using testing::CommitShape;
using testing::make_commit;

struct History : ::testing::Test {
  Task<> add(Context& ctx, std::string name, CommitShape shape) {
    const Commit commit = make_commit(name, shape);
    EXPECT_TRUE(co_await commits.put(ctx, repository, commit));
  }

  /// Messages in log order, joined.
  Task<std::string> log(Context& ctx, std::string start, LogWalkOptions options = {}) {
    LogWalk walk(commits, repository, commit_id(start), options);
    std::string names;
    while (const CommitPtr commit = co_await walk.next(ctx))
      names += commit->message + " ";
    co_return names;
  }

  Task<std::string> base(Context& ctx, std::string source, std::string destination) {
    const auto found = co_await find_merge_base(ctx, commits, repository, commit_id(source),
                                                commit_id(destination));
    co_return found ? (co_await commits.get(ctx, repository, *found))->message : "none";
  }

  kv::MemStore kv;
  Commits commits{kv, 100};
  Repository repository = testing::make_repository();
};

/// root - a - b - merge; root - x - merge. x is dated between a and b, y has a clock that is late.
Task<> add_diamond(Context& ctx, History& self) {
  co_await self.add(ctx, "root", {.generation = 1, .date = {10, 0}});
  co_await self.add(ctx, "a", {.parents = {"root"}, .generation = 2, .date = {20, 0}});
  co_await self.add(ctx, "x", {.parents = {"root"}, .generation = 2, .date = {25, 0}});
  co_await self.add(ctx, "b", {.parents = {"a"}, .generation = 3, .date = {30, 0}});
  co_await self.add(ctx, "merge", {.parents = {"b", "x"}, .generation = 4, .date = {40, 0}});
}

CO_TEST_F(History, LogsBestFirstByDate) {
  co_await add_diamond(ctx, self);
  EXPECT_EQ(co_await self.log(ctx, "merge"), "merge b x a root ");
  EXPECT_EQ(co_await self.log(ctx, "merge", {.first_parent = true}), "merge b a root ");
}

CO_TEST_F(History, LogIsAWalkAndNotASort) {
  // The child's clock was late: its parent is younger, but is discovered only through it.
  co_await self.add(ctx, "root", {.date = {10, 0}});
  co_await self.add(ctx, "young", {.parents = {"root"}, .generation = 2, .date = {50, 0}});
  co_await self.add(ctx, "late", {.parents = {"young"}, .generation = 3, .date = {5, 0}});
  co_await self.add(ctx, "side", {.parents = {"root"}, .generation = 2, .date = {20, 0}});
  co_await self.add(ctx, "merge", {.parents = {"late", "side"}, .generation = 4, .date = {60, 0}});
  EXPECT_EQ(co_await self.log(ctx, "merge"), "merge side root late young ");
}

CO_TEST_F(History, LogOrdersByNanosecondsThenByIdDescending) {
  co_await self.add(ctx, "root", {.date = {1, 0}});
  // The older of two within one second is the one with the greater id.
  const bool p_greater = commit_id("p") > commit_id("q");
  co_await self.add(ctx, "p",
                    {.parents = {"root"}, .generation = 2, .date = {10, p_greater ? 7 : 9}});
  co_await self.add(ctx, "q",
                    {.parents = {"root"}, .generation = 2, .date = {10, p_greater ? 9 : 7}});
  co_await self.add(ctx, "m", {.parents = {"p", "q"}, .generation = 3, .date = {11, 0}});
  EXPECT_EQ(co_await self.log(ctx, "m"), p_greater ? "m q p root " : "m p q root ");
  co_await self.add(ctx, "s", {.parents = {"root"}, .generation = 2, .date = {10, 7}});
  co_await self.add(ctx, "r", {.parents = {"root"}, .generation = 2, .date = {10, 7}});
  co_await self.add(ctx, "n", {.parents = {"s", "r"}, .generation = 3, .date = {11, 0}});
  const bool s_first = commit_id("s") > commit_id("r");
  EXPECT_EQ(co_await self.log(ctx, "n"), s_first ? "n s r root " : "n r s root ");
}

CO_TEST_F(History, LogBeginsAfterAndStopsAt) {
  co_await add_diamond(ctx, self);
  EXPECT_EQ(co_await self.log(ctx, "merge", {.after = commit_id("b")}), "x a root ");
  EXPECT_EQ(co_await self.log(ctx, "merge", {.after = commit_id("unmet")}), "");
  EXPECT_EQ(co_await self.log(ctx, "merge", {.stop_at = commit_id("x")}), "merge b x ");
  EXPECT_EQ(co_await self.log(ctx, "merge", {.after = commit_id("x"), .stop_at = commit_id("b")}),
            "");
  EXPECT_EQ(co_await self.log(ctx, "merge", {.since = Timestamp{25, 0}}), "merge b x ");
  EXPECT_EQ(co_await self.log(ctx, "merge", {.since = Timestamp{25, 1}}), "merge b ");
}

Task<bool> is_x_or_root(Context&, const Commit& commit) {
  co_return commit.message == "x" || commit.message == "root";
}

CO_TEST_F(History, LogPagesLookOneMatchAhead) {
  co_await add_diamond(ctx, self);
  LogWalk all(self.commits, self.repository, commit_id("merge"));
  Page<CommitPtr> page = co_await read_log_page(ctx, all, 4, {}, false);
  EXPECT_EQ(page.items.size(), 4U);
  EXPECT_TRUE(page.has_more);
  LogWalk exact(self.commits, self.repository, commit_id("merge"));
  page = co_await read_log_page(ctx, exact, 5, {}, false);
  EXPECT_EQ(page.items.size(), 5U);
  EXPECT_FALSE(page.has_more);
  LogWalk filtered(self.commits, self.repository, commit_id("merge"));
  page = co_await read_log_page(ctx, filtered, 1, &is_x_or_root, false);
  CO_ASSERT_EQ(page.items.size(), 1U);
  EXPECT_EQ(page.items.front()->message, "x");
  EXPECT_TRUE(page.has_more);
  LogWalk limited(self.commits, self.repository, commit_id("merge"));
  page = co_await read_log_page(ctx, limited, 1, &is_x_or_root, true);
  EXPECT_EQ(page.items.size(), 1U);
  EXPECT_FALSE(page.has_more);
}

CO_TEST_F(History, LogReportsAHole) {
  co_await self.add(ctx, "child", {.parents = {"gone"}, .generation = 2, .date = {1, 0}});
  LogWalk walk(self.commits, self.repository, commit_id("child"));
  EXPECT_NE(co_await walk.next(ctx), nullptr);
  CO_EXPECT_ERROR(walk.next(ctx), ErrorCode::commit_not_found);
}

CO_TEST_F(History, MergeBaseOfADiamondIsItsRoot) {
  co_await add_diamond(ctx, self);
  EXPECT_EQ(co_await self.base(ctx, "b", "x"), "root");
  EXPECT_EQ(co_await self.base(ctx, "x", "b"), "root");
  EXPECT_EQ(co_await self.base(ctx, "merge", "x"), "x");
  EXPECT_EQ(co_await self.base(ctx, "a", "merge"), "a");
  EXPECT_EQ(co_await self.base(ctx, "b", "b"), "b");
}

CO_TEST_F(History, MergeBaseGoesByGenerationBeforeDate) {
  // By date alone "young" would be popped before "deep" and "root" be found first.
  co_await self.add(ctx, "root", {.generation = 1, .date = {1, 0}});
  co_await self.add(ctx, "base", {.parents = {"root"}, .generation = 5, .date = {2, 0}});
  co_await self.add(ctx, "young", {.parents = {"root"}, .generation = 2, .date = {100, 0}});
  co_await self.add(ctx, "deep", {.parents = {"base"}, .generation = 6, .date = {3, 0}});
  co_await self.add(ctx, "left", {.parents = {"root", "base"}, .generation = 7, .date = {200, 0}});
  co_await self.add(ctx, "right",
                    {.parents = {"young", "deep"}, .generation = 7, .date = {199, 0}});
  EXPECT_EQ(co_await self.base(ctx, "left", "right"), "base");
}

CO_TEST_F(History, MergeBaseOfACrissCrossIsOne) {
  co_await self.add(ctx, "root", {.generation = 1, .date = {1, 0}});
  co_await self.add(ctx, "p", {.parents = {"root"}, .generation = 2, .date = {2, 0}});
  co_await self.add(ctx, "q", {.parents = {"root"}, .generation = 2, .date = {3, 0}});
  co_await self.add(ctx, "s", {.parents = {"p", "q"}, .generation = 3, .date = {4, 0}});
  co_await self.add(ctx, "t", {.parents = {"q", "p"}, .generation = 3, .date = {5, 0}});
  // t is popped first (younger) and marks q, then p; s then meets p first.
  EXPECT_EQ(co_await self.base(ctx, "s", "t"), "p");
  EXPECT_EQ(co_await self.base(ctx, "t", "s"), "p");
}

CO_TEST_F(History, MergeBaseIsTheFirstCommonCommitSeenEvenIfANewerOneIsCommon) {
  // `old` begins at the root and reaches it before the walk comes down to `shared`, which `mine`
  // has merged. A better base would be `shared`; the rule (storage-format.md 4.4) says otherwise.
  co_await self.add(ctx, "root", {.generation = 1, .date = {10, 0}});
  co_await self.add(ctx, "shared", {.parents = {"root"}, .generation = 2, .date = {11, 0}});
  co_await self.add(ctx, "mine", {.parents = {"root", "shared"}, .generation = 3, .date = {12, 0}});
  co_await self.add(ctx, "next", {.parents = {"shared"}, .generation = 3, .date = {13, 0}});
  co_await self.add(ctx, "old", {.parents = {"root"}, .generation = 5, .date = {14, 0}});
  co_await self.add(ctx, "theirs", {.parents = {"next", "old"}, .generation = 6, .date = {15, 0}});
  EXPECT_EQ(co_await self.base(ctx, "mine", "theirs"), "root");
  EXPECT_EQ(co_await self.base(ctx, "theirs", "mine"), "root");
}

CO_TEST_F(History, UnrelatedHistoriesHaveNoMergeBase) {
  co_await self.add(ctx, "one", {.date = {1, 0}});
  co_await self.add(ctx, "two", {.date = {2, 0}});
  EXPECT_EQ(co_await self.base(ctx, "one", "two"), "none");
  CO_EXPECT_ERROR(self.base(ctx, "one", "gone"), ErrorCode::commit_not_found);
}

}  // namespace
}  // namespace tarn::versioning
