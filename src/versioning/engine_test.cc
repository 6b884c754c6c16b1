#include "versioning/engine.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "testing/co_test.h"
#include "versioning/test_engine.h"

namespace tarn::versioning {
namespace {

using Rows = std::vector<std::string>;

BranchId branch(std::string name) {
  return BranchId::from_stored(std::move(name));
}

/// Awaits and returns the message of the Error it must throw with `code`.
template <class T>
Task<std::string> message_of(Task<T> task, ErrorCode code) {
  try {
    co_await std::move(task);
  } catch (const Error& error) {
    EXPECT_EQ(to_string(error.code()), to_string(code)) << error.message();
    co_return error.message();
  }
  ADD_FAILURE() << "did not throw";
  co_return std::string();
}

CO_TEST(Engine, ShowsStagedValuesAndCommitsThem) {
  TestEngine t;
  const Repository repo = co_await t.repository(ctx);
  co_await t.put(ctx, repo, t.main, "a", "1");
  co_await t.put(ctx, repo, t.main, "b", "2");
  EXPECT_EQ(co_await t.list(ctx, repo, "main"), (Rows{"a=1", "b=2"}));
  EXPECT_EQ(co_await t.list(ctx, repo, "main@"), Rows{});
  EXPECT_EQ(co_await t.rows(ctx, co_await t.engine.diff_uncommitted(ctx, repo, t.main)),
            (Rows{"+a", "+b"}));
  const Commit made = co_await t.commit(ctx, repo, t.main);
  EXPECT_EQ(made.generation, 2);
  EXPECT_EQ(co_await t.list(ctx, repo, "main@"), (Rows{"a=1", "b=2"}));
  EXPECT_EQ(co_await t.list(ctx, repo, made.id.str()), (Rows{"a=1", "b=2"}));
  EXPECT_EQ(co_await t.rows(ctx, co_await t.engine.diff_uncommitted(ctx, repo, t.main)), Rows{});
}

CO_TEST(Engine, RefusesAnEmptyCommitAndKeepsTheBranchAsItWas) {
  TestEngine t;
  const Repository repo = co_await t.repository(ctx);
  EXPECT_EQ(co_await message_of(t.commit(ctx, repo, t.main), ErrorCode::no_changes),
            "commit: no changes");
  co_await t.put(ctx, repo, t.main, "a", "1");
  co_await t.commit(ctx, repo, t.main);
  co_await t.put(ctx, repo, t.main, "a", "1");  // the same identity again
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(co_await message_of(t.commit(ctx, repo, t.main), ErrorCode::no_changes),
              "commit: no changes");
  }
  EXPECT_TRUE((co_await t.engine.get_branch(ctx, repo, t.main)).sealed_tokens.empty());
  const Commit empty = co_await t.engine.commit(
      ctx, repo, t.main, {.committer = "c", .message = "empty", .allow_empty = true});
  EXPECT_EQ(empty.generation, 3);
  EXPECT_EQ(co_await t.list(ctx, repo, "main@"), Rows{"a=1"});
}

CO_TEST(Engine, DeletesHideCommittedValuesUntilTheyAreCommittedToo) {
  TestEngine t;
  const Repository repo = co_await t.repository(ctx);
  co_await t.put(ctx, repo, t.main, "a", "1");
  co_await t.put(ctx, repo, t.main, "b", "2");
  co_await t.commit(ctx, repo, t.main);
  co_await t.engine.remove(ctx, repo, t.main, {"a", "missing"}, {});
  EXPECT_EQ(co_await t.list(ctx, repo, "main"), Rows{"b=2"});
  EXPECT_EQ(co_await t.rows(ctx, co_await t.engine.diff_uncommitted(ctx, repo, t.main)),
            Rows{"-a"});
  co_await t.commit(ctx, repo, t.main);
  EXPECT_EQ(co_await t.list(ctx, repo, "main@"), Rows{"b=2"});
  EXPECT_EQ(co_await t.rows(ctx, co_await t.engine.diff(ctx, repo, "main~1", "main")), Rows{"-a"});
}

CO_TEST(Engine, MergesBothSidesAndRecordsTwoParents) {
  TestEngine t;
  const Repository repo = co_await t.repository(ctx);
  co_await t.put(ctx, repo, t.main, "base", "0");
  co_await t.commit(ctx, repo, t.main);
  co_await t.engine.create_branch(ctx, repo, branch("dev"), "main", false, false);
  co_await t.put(ctx, repo, branch("dev"), "dev", "1");
  co_await t.commit(ctx, repo, branch("dev"));
  co_await t.put(ctx, repo, t.main, "main", "2");
  co_await t.commit(ctx, repo, t.main);
  EXPECT_EQ(co_await t.rows(ctx, co_await t.engine.compare(ctx, repo, "main", "dev")),
            Rows{"+dev"});
  EXPECT_EQ(co_await t.rows(ctx, co_await t.engine.diff(ctx, repo, "main", "dev")),
            (Rows{"+dev", "-main"}));
  const auto merged = co_await t.engine.merge(ctx, repo, t.main, "dev", {.committer = "c"});
  CO_ASSERT_TRUE(merged.commit_id.has_value());
  EXPECT_EQ(co_await t.list(ctx, repo, "main"), (Rows{"base=0", "dev=1", "main=2"}));
  const auto commit = co_await t.engine.get_commit(ctx, repo, *merged.commit_id);
  EXPECT_EQ(commit->parents.size(), 2U);
  EXPECT_EQ(commit->generation, 4);
  EXPECT_EQ(commit->message, "Merge 'dev' into 'main'");
  EXPECT_EQ(commit->metadata.at(".lakefs.merge.strategy"), "default");
  EXPECT_EQ(co_await message_of(t.engine.merge(ctx, repo, t.main, "dev", {.committer = "c"}),
                                ErrorCode::no_changes),
            "update branch main: no changes");
}

CO_TEST(Engine, LeavesTheBranchAloneWhenAMergeConflicts) {
  TestEngine t;
  const Repository repo = co_await t.repository(ctx);
  co_await t.engine.create_branch(ctx, repo, branch("dev"), "main", false, false);
  co_await t.put(ctx, repo, branch("dev"), "k", "dev");
  co_await t.commit(ctx, repo, branch("dev"));
  co_await t.put(ctx, repo, t.main, "k", "main");
  const Commit head = co_await t.commit(ctx, repo, t.main);
  const auto refused = co_await t.engine.merge(ctx, repo, t.main, "dev", {.committer = "c"});
  EXPECT_FALSE(refused.commit_id.has_value());
  EXPECT_EQ(refused.summary.conflicts, 1);
  const Branch after = co_await t.engine.get_branch(ctx, repo, t.main);
  EXPECT_EQ(after.commit_id, head.id);
  EXPECT_TRUE(after.sealed_tokens.empty());
  co_await t.engine.merge(ctx, repo, t.main, "dev",
                          {.committer = "c", .strategy = MergeStrategy::source_wins});
  EXPECT_EQ(co_await t.list(ctx, repo, "main"), Rows{"k=dev"});
}

CO_TEST(Engine, RefusesToMergeIntoADirtyBranch) {
  TestEngine t;
  const Repository repo = co_await t.repository(ctx);
  co_await t.engine.create_branch(ctx, repo, branch("dev"), "main", false, false);
  co_await t.put(ctx, repo, branch("dev"), "k", "dev");
  co_await t.commit(ctx, repo, branch("dev"));
  co_await t.put(ctx, repo, t.main, "dirty", "1");
  EXPECT_EQ(co_await message_of(t.engine.merge(ctx, repo, t.main, "dev", {.committer = "c"}),
                                ErrorCode::dirty_branch),
            "uncommitted changes (dirty branch)");
  EXPECT_EQ(co_await t.list(ctx, repo, "main"), Rows{"dirty=1"});
}

CO_TEST(Engine, RevertsAndCherryPicks) {
  TestEngine t;
  const Repository repo = co_await t.repository(ctx);
  co_await t.put(ctx, repo, t.main, "a", "1");
  co_await t.commit(ctx, repo, t.main);
  co_await t.put(ctx, repo, t.main, "b", "2");
  const Commit second = co_await t.commit(ctx, repo, t.main, "second");
  const Commit reverted =
      co_await t.engine.revert(ctx, repo, t.main, second.id.str(), {.committer = "c"});
  EXPECT_EQ(reverted.message, "Revert " + second.id.str());
  EXPECT_EQ(co_await t.list(ctx, repo, "main"), Rows{"a=1"});
  EXPECT_EQ(
      co_await message_of(t.engine.revert(ctx, repo, t.main, second.id.str(), {.committer = "c"}),
                          ErrorCode::no_changes),
      "update branch: no changes");
  const Commit picked =
      co_await t.engine.cherry_pick(ctx, repo, t.main, second.id.str(), {.committer = "d"});
  EXPECT_EQ(picked.message, "second");
  EXPECT_EQ(picked.metadata.at("cherry-pick-origin"), second.id.str());
  EXPECT_EQ(co_await t.list(ctx, repo, "main"), (Rows{"a=1", "b=2"}));
}

CO_TEST(Engine, ResetsAKeyAPrefixAndABranch) {
  TestEngine t;
  const Repository repo = co_await t.repository(ctx);
  co_await t.put(ctx, repo, t.main, "p/a", "1");
  co_await t.put(ctx, repo, t.main, "q", "1");
  co_await t.commit(ctx, repo, t.main);
  const auto stage = [](TestEngine& e, Context& c, const Repository& r) -> Task<> {
    co_await e.put(c, r, e.main, "p/a", "2");
    co_await e.put(c, r, e.main, "p/b", "2");
    co_await e.put(c, r, e.main, "pz", "2");
    co_await e.engine.remove(c, r, e.main, {"q"}, {});
  };
  co_await stage(t, ctx, repo);
  co_await t.engine.reset_key(ctx, repo, t.main, "q", {});
  EXPECT_EQ(co_await t.list(ctx, repo, "main"), (Rows{"p/a=2", "p/b=2", "pz=2", "q=1"}));
  co_await t.engine.reset_prefix(ctx, repo, t.main, "p/", {});
  EXPECT_EQ(co_await t.list(ctx, repo, "main"), (Rows{"p/a=1", "pz=2", "q=1"}));
  co_await t.engine.reset_branch(ctx, repo, t.main, {});
  EXPECT_EQ(co_await t.list(ctx, repo, "main"), (Rows{"p/a=1", "q=1"}));
  EXPECT_GT(co_await t.engine.clean_up(ctx), 0U);
}

CO_TEST(Engine, HardResetMovesTheHeadAndKeepsStagedData) {
  TestEngine t;
  const Repository repo = co_await t.repository(ctx);
  co_await t.put(ctx, repo, t.main, "a", "1");
  const Commit first = co_await t.commit(ctx, repo, t.main);
  co_await t.put(ctx, repo, t.main, "b", "2");
  co_await t.commit(ctx, repo, t.main);
  co_await t.put(ctx, repo, t.main, "staged", "3");
  co_await t.engine.hard_reset(ctx, repo, t.main, first.id.str(), {});
  EXPECT_EQ(co_await t.list(ctx, repo, "main"), (Rows{"a=1", "staged=3"}));
  EXPECT_EQ(
      co_await message_of(t.engine.hard_reset(ctx, repo, t.main, "nope", {}), ErrorCode::not_found),
      "hard-reset main to nope: not found");
}

CO_TEST(Engine, NamesWhatIsInTheWayOfANewBranchOrTag) {
  TestEngine t;
  const Repository repo = co_await t.repository(ctx);
  const TagId tag = TagId::from_stored("v1");
  co_await t.engine.create_tag(ctx, repo, tag, "main", false);
  EXPECT_EQ(co_await message_of(t.engine.create_branch(ctx, repo, t.main, "main", false, false),
                                ErrorCode::already_exists),
            "branch already exists: not unique");
  EXPECT_EQ(
      co_await message_of(t.engine.create_branch(ctx, repo, branch("v1"), "main", false, false),
                          ErrorCode::conflict),
      "tag ID v1: conflict found");
  EXPECT_EQ(
      co_await message_of(t.engine.create_branch(ctx, repo, branch("x"), "nope", false, false),
                          ErrorCode::not_found),
      "source reference 'nope': not found");
  EXPECT_EQ(
      co_await message_of(t.engine.create_branch(ctx, repo, branch("x"), "main$", false, false),
                          ErrorCode::invalid_argument),
      "source reference 'main$': can't create a branch without commit");
  EXPECT_EQ(co_await message_of(t.engine.create_tag(ctx, repo, tag, "main", false),
                                ErrorCode::already_exists),
            "tag already exists: not unique");
  EXPECT_EQ(
      co_await message_of(t.engine.create_tag(ctx, repo, TagId::from_stored("main"), "main", false),
                          ErrorCode::conflict),
      "branch name main: conflict found");
  EXPECT_EQ(
      co_await message_of(t.engine.delete_branch(ctx, repo, t.main, false), ErrorCode::forbidden),
      "cannot delete repository default branch");
}

CO_TEST(Engine, ProtectionAndReadOnlyStopWritesAndCommits) {
  TestEngine t;
  const Repository repo = co_await t.repository(ctx);
  co_await t.put(ctx, repo, t.main, "a", "1");
  const ProtectionRules rules{{{"ma*", {BlockedAction::staging_write, BlockedAction::commit}}}};
  co_await t.engine.set_protection_rules(ctx, repo, rules, std::nullopt);
  EXPECT_EQ(co_await message_of(t.put(ctx, repo, t.main, "b", "1"), ErrorCode::protected_branch),
            "cannot write to protected branch");
  EXPECT_EQ(co_await message_of(t.commit(ctx, repo, t.main), ErrorCode::protected_branch),
            "cannot commit to protected branch");
  Repository frozen = repo;
  frozen.read_only = true;
  EXPECT_EQ(
      co_await message_of(t.engine.create_branch(ctx, frozen, branch("x"), "main", false, false),
                          ErrorCode::read_only),
      "read-only repository");
}

CO_TEST(Engine, LogsByObjectAndPrefix) {
  TestEngine t;
  const Repository repo = co_await t.repository(ctx);
  for (const char* key : {"a/1", "b/1", "a/2"}) {
    co_await t.put(ctx, repo, t.main, key, "x");
    co_await t.commit(ctx, repo, t.main, key);
  }
  const auto all = co_await t.engine.log(ctx, repo, "main", {});
  EXPECT_EQ(all.items.size(), 4U);
  EXPECT_EQ(all.items.front()->message, "a/2");
  const auto objects = co_await t.engine.log(ctx, repo, "main", {.objects = {"b/1"}});
  CO_ASSERT_EQ(objects.items.size(), 1U);
  EXPECT_EQ(objects.items.front()->message, "b/1");
  const auto prefixes = co_await t.engine.log(ctx, repo, "main", {.prefixes = {"a/"}});
  EXPECT_EQ(prefixes.items.size(), 2U);
}

CO_TEST(Engine, DeletesARepositoryAndFreesItsName) {
  TestEngine t;
  const Repository repo = co_await t.repository(ctx);
  co_await t.put(ctx, repo, t.main, "a", "1");
  co_await t.commit(ctx, repo, t.main);
  co_await t.engine.delete_repository(ctx, repo.id, false);
  EXPECT_EQ(
      co_await message_of(t.engine.get_repository(ctx, repo.id), ErrorCode::repository_not_found),
      "repository not found");
  const Repository again = co_await t.repository(ctx);
  EXPECT_EQ(co_await t.list(ctx, again, "main"), Rows{});
}

}  // namespace
}  // namespace tarn::versioning
