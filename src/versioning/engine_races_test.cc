// Other servers acting between two steps of an operation, and the order in which operations refuse.
#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/error.h"
#include "kv/testing/faulty_store.h"
#include "testing/co_test.h"
#include "versioning/refs/keys.h"
#include "versioning/test_engine.h"
#include "versioning/testing/hook_store.h"

namespace tarn::versioning {
namespace {

using testing::HookStore;
using Rows = std::vector<std::string>;

BranchId branch(std::string name) {
  return BranchId::from_stored(std::move(name));
}

/// Two servers on one store; the test may act as the second between the steps of the first.
struct TwoServers : TestStores {
  HookStore steps{kv};
  EngineOn first{steps, objects};
  EngineOn second{kv, objects};

  /// Runs `act` once, ahead of the n-th conditional write to a branch record from now on.
  void before_branch_update(int n, std::function<Task<>(Context&)> act) {
    steps.set_hook([n, act = std::move(act)](Context& ctx, const kv::Op& op) mutable -> Task<> {
      const bool update = op.kind == kv::Op::Kind::set_if &&
                          op.address.key.starts_with(keys::kBranches) && --n == 0;
      return update ? act(ctx) : nothing();
    });
  }

  static Task<> nothing() { co_return; }
};

Task<> put_late(TwoServers& t, Context& ctx, const Repository& repo) {
  return t.second.put(ctx, repo, t.first.main, "late", "1");
}

Task<Repository> with_dev_commit(TwoServers& t, Context& ctx) {
  const Repository repo = co_await t.first.repository(ctx);
  co_await t.first.engine.create_branch(ctx, repo, branch("dev"), "main", false, false);
  co_await t.first.put(ctx, repo, branch("dev"), "k", "dev");
  co_await t.first.commit(ctx, repo, branch("dev"));
  co_return repo;
}

CO_TEST(EngineRaces, AWriteAcknowledgedWhileAMergeSealsIsKept) {
  TwoServers t;
  const Repository repo = co_await with_dev_commit(t, ctx);
  t.before_branch_update(1, [&](Context& c) { return put_late(t, c, repo); });
  CO_EXPECT_ERROR(t.first.engine.merge(ctx, repo, t.first.main, "dev", {.committer = "c"}),
                  ErrorCode::dirty_branch);
  co_await t.first.engine.clean_up(ctx);
  EXPECT_EQ(co_await t.first.list(ctx, repo, "main"), Rows{"late=1"});
  co_await t.first.commit(ctx, repo, t.first.main);
  EXPECT_EQ(co_await t.first.list(ctx, repo, "main@"), Rows{"late=1"});
}

CO_TEST(EngineRaces, AWriteAcknowledgedWhileARepointSealsIsKept) {
  TwoServers t;
  const Repository repo = co_await with_dev_commit(t, ctx);
  t.before_branch_update(1, [&](Context& c) { return put_late(t, c, repo); });
  CO_EXPECT_ERROR(t.first.engine.repoint_branch(ctx, repo, t.first.main, "dev", false),
                  ErrorCode::dirty_branch);
  EXPECT_EQ(co_await t.first.list(ctx, repo, "main"), Rows{"late=1"});
}

CO_TEST(EngineRaces, AWriteWhileACommitMovesTheHeadStaysStaged) {
  TwoServers t;
  const Repository repo = co_await t.first.repository(ctx);
  co_await t.first.put(ctx, repo, t.first.main, "early", "1");
  t.before_branch_update(2, [&](Context& c) { return put_late(t, c, repo); });
  co_await t.first.commit(ctx, repo, t.first.main);
  co_await t.first.engine.clean_up(ctx);
  EXPECT_EQ(co_await t.first.list(ctx, repo, "main@"), Rows{"early=1"});
  EXPECT_EQ(co_await t.first.list(ctx, repo, "main"), (Rows{"early=1", "late=1"}));
}

Task<> commit_as_second(TwoServers& t, Context& ctx, const Repository& repo) {
  co_await put_late(t, ctx, repo);
  co_await t.second.commit(ctx, repo, t.first.main);
}

CO_TEST(EngineRaces, ACommitThatLosesToOneThatTookItsChangesHasNone) {
  TwoServers t;
  const Repository repo = co_await t.first.repository(ctx);
  co_await t.first.put(ctx, repo, t.first.main, "early", "1");
  t.before_branch_update(2, [&](Context& c) { return commit_as_second(t, c, repo); });
  CO_EXPECT_ERROR(t.first.commit(ctx, repo, t.first.main), ErrorCode::no_changes);
  EXPECT_EQ(co_await t.first.list(ctx, repo, "main@"), (Rows{"early=1", "late=1"}));
}

CO_TEST(EngineRaces, AMergeThatLosesToACommitIsMadeOnTopOfIt) {
  TwoServers t;
  const Repository repo = co_await with_dev_commit(t, ctx);
  t.before_branch_update(2, [&](Context& c) { return commit_as_second(t, c, repo); });
  const auto merged =
      co_await t.first.engine.merge(ctx, repo, t.first.main, "dev", {.committer = "c"});
  CO_ASSERT_TRUE(merged.commit_id.has_value());
  EXPECT_EQ(co_await t.first.list(ctx, repo, "main@"), (Rows{"k=dev", "late=1"}));
  EXPECT_EQ((co_await t.first.engine.get_commit(ctx, repo, *merged.commit_id))->generation, 3);
}

// --- hooks ---

/// Refuses one event, records all, and may act on the engine.
class RecordingHooks final : public HookSink {
 public:
  std::vector<HookEvent> seen;
  std::optional<HookEvent> refused;
  std::function<Task<>(Context&, HookEvent)> act;

  Task<std::string> run(Context& ctx, const HookRecord& record) override {
    seen.push_back(record.event);
    if (refused == record.event) throw Error(ErrorCode::hook_aborted, "no");
    if (act) co_await act(ctx, record.event);
    co_return "run";
  }
};

CO_TEST(EngineHooks, CommitsRefusedOverAndOverKeepTheChangesAndDoNotPileUpTokens) {
  TestEngine t;
  RecordingHooks hooks;
  t.engine.set_hooks(hooks);
  const Repository repo = co_await t.repository(ctx);
  co_await t.put(ctx, repo, t.main, "a", "1");
  hooks.refused = HookEvent::pre_commit;
  for (int i = 0; i < 5; ++i)
    CO_EXPECT_ERROR(t.commit(ctx, repo, t.main), ErrorCode::hook_aborted);
  EXPECT_EQ((co_await t.engine.get_branch(ctx, repo, t.main)).sealed_tokens.size(), 1U);
  co_await t.put(ctx, repo, t.main, "b", "1");
  CO_EXPECT_ERROR(t.commit(ctx, repo, t.main), ErrorCode::hook_aborted);
  EXPECT_EQ(co_await t.list(ctx, repo, "main"), (Rows{"a=1", "b=1"}));
  hooks.refused.reset();
  hooks.seen.clear();
  co_await t.commit(ctx, repo, t.main);
  EXPECT_EQ(hooks.seen, (std::vector{HookEvent::prepare_commit, HookEvent::pre_commit,
                                     HookEvent::post_commit}));
  EXPECT_EQ(co_await t.list(ctx, repo, "main@"), (Rows{"a=1", "b=1"}));
}

Task<> stage_and_commit(TestEngine& t, Context& ctx, const Repository& repo, HookEvent event) {
  if (event == HookEvent::prepare_commit) co_await t.put(ctx, repo, t.main, "by hook", "1");
  if (event == HookEvent::post_commit) {
    CO_EXPECT_ERROR(t.engine.merge(ctx, repo, t.main, "main", {.committer = "h"}),
                    ErrorCode::no_changes);
  }
}

CO_TEST(EngineHooks, HooksBeforeAndAfterACommitMayWorkOnTheBranch) {
  TestEngine t;
  RecordingHooks hooks;
  t.engine.set_hooks(hooks);
  const Repository repo = co_await t.repository(ctx);
  co_await t.put(ctx, repo, t.main, "a", "1");
  hooks.act = [&](Context& c, HookEvent event) { return stage_and_commit(t, c, repo, event); };
  co_await t.commit(ctx, repo, t.main);
  EXPECT_EQ(co_await t.list(ctx, repo, "main@"), (Rows{"a=1", "by hook=1"}));
}

CO_TEST(EngineHooks, ARefusedMergeLeavesTheBranchAsItWas) {
  TestEngine t;
  RecordingHooks hooks;
  t.engine.set_hooks(hooks);
  const Repository repo = co_await t.repository(ctx);
  co_await t.engine.create_branch(ctx, repo, branch("dev"), "main", false, false);
  co_await t.put(ctx, repo, branch("dev"), "k", "1");
  co_await t.commit(ctx, repo, branch("dev"));
  const Branch before = co_await t.engine.get_branch(ctx, repo, t.main);
  hooks.refused = HookEvent::pre_merge;
  CO_EXPECT_ERROR(t.engine.merge(ctx, repo, t.main, "dev", {.committer = "c"}),
                  ErrorCode::hook_aborted);
  const Branch after = co_await t.engine.get_branch(ctx, repo, t.main);
  EXPECT_EQ(after.commit_id, before.commit_id);
  EXPECT_TRUE(after.sealed_tokens.empty());
}

CO_TEST(EngineHooks, NoneRunOnAReadOnlyRepositoryEvenWhenForced) {
  TestEngine t;
  RecordingHooks hooks;
  t.engine.set_hooks(hooks);
  Repository repo = co_await t.repository(ctx);
  co_await t.put(ctx, repo, t.main, "a", "1");
  repo.read_only = true;
  CO_EXPECT_ERROR(t.engine.commit(ctx, repo, t.main, {.committer = "c"}), ErrorCode::read_only);
  co_await t.engine.commit(ctx, repo, t.main, {.committer = "c", .force = true});
  EXPECT_TRUE(hooks.seen.empty());
}

// --- what is told first, as the reference tells it ---

template <class T>
Task<std::string> refusal(Task<T> task) {
  try {
    co_await std::move(task);
  } catch (const Error& error) {
    co_return error.message();
  }
  co_return "(done)";
}

CO_TEST(EngineRefusals, ADirtyDestinationComesBeforeTheSourceOfAMerge) {
  TestEngine t;
  const Repository repo = co_await t.repository(ctx);
  const MergeParams params{.committer = "c"};
  EXPECT_EQ(co_await refusal(t.engine.merge(ctx, repo, branch("zz"), "nope", params)),
            "branch not found");
  EXPECT_EQ(co_await refusal(t.engine.merge(ctx, repo, t.main, "nope", params)),
            "update branch main: get commit by ref nope: not found");
  EXPECT_EQ(co_await refusal(t.engine.merge(ctx, repo, t.main, "main$", params)),
            "update branch main: get commit by ref main$: reference 'main$': reference to staging "
            "area with $ is not a commit");
  co_await t.put(ctx, repo, t.main, "dirty", "1");
  EXPECT_EQ(co_await refusal(t.engine.merge(ctx, repo, t.main, "nope", params)),
            "uncommitted changes (dirty branch)");
  EXPECT_EQ(co_await refusal(t.engine.cherry_pick(ctx, repo, t.main, "nope", {})),
            "get commit from ref nope: not found");
}

CO_TEST(EngineRefusals, TheParentNumberComesBeforeTheRefAndTheRefBeforeTheBranch) {
  TestEngine t;
  const Repository repo = co_await t.repository(ctx);
  EXPECT_EQ(co_await refusal(t.engine.revert(ctx, repo, branch("zz"), "nope",
                                             {.committer = "c", .parent_number = -1})),
            "argument parentNumber: invalid value: validation error");
  EXPECT_EQ(co_await refusal(t.engine.revert(ctx, repo, branch("zz"), "nope", {})),
            "get commit from ref nope: not found");
  EXPECT_EQ(co_await refusal(t.engine.revert(ctx, repo, branch("zz"), "main", {})),
            "branch not found");
  EXPECT_EQ(co_await refusal(t.engine.cherry_pick(ctx, repo, branch("zz"), "nope",
                                                  {.committer = "c", .parent_number = 0})),
            "argument parentNumber: value should be greater than 0: invalid value: validation "
            "error");
  EXPECT_EQ(co_await refusal(t.engine.cherry_pick(ctx, repo, t.main, "main", {})),
            "parent 1: given commit does not have the given parent number");
  EXPECT_EQ(co_await refusal(t.engine.revert(ctx, repo, t.main, "main", {})),
            "update branch: no changes");
}

CO_TEST(EngineRefusals, ANameThatIsTakenComesAfterTheSourceButAConflictBefore) {
  TestEngine t;
  const Repository repo = co_await t.repository(ctx);
  co_await t.engine.create_tag(ctx, repo, TagId::from_stored("v1"), "main", false);
  EXPECT_EQ(co_await refusal(t.engine.create_branch(ctx, repo, t.main, "nope", false, false)),
            "source reference 'nope': not found");
  EXPECT_EQ(co_await refusal(t.engine.create_branch(ctx, repo, branch("v1"), "nope", false, false)),
            "tag ID v1: conflict found");
  EXPECT_EQ(
      co_await refusal(t.engine.create_tag(ctx, repo, TagId::from_stored("v1"), "nope", false)),
      "not found");
  EXPECT_EQ(
      co_await refusal(t.engine.create_tag(ctx, repo, TagId::from_stored("main"), "nope", false)),
      "branch name main: conflict found");
}

CO_TEST(EngineRefusals, DiffsNameTheirSidesOnlyWhenComparingWithABase) {
  TestEngine t;
  const Repository repo = co_await t.repository(ctx);
  EXPECT_EQ(co_await refusal(t.engine.diff(ctx, repo, "nope", "main")), "not found");
  EXPECT_EQ(co_await refusal(t.engine.diff(ctx, repo, "main", "nope")), "not found");
  EXPECT_EQ(co_await refusal(t.engine.compare(ctx, repo, "nope", "main")),
            "get commit by branch nope: not found");
  EXPECT_EQ(co_await refusal(t.engine.compare(ctx, repo, "nope", "nope2")),
            "get commit by ref nope2: not found");
}

// --- edges ---

CO_TEST(EngineEdges, AnEmptyCommitOfAnEmptyTreeHasTheReferencesMetarange) {
  TestEngine t;
  const Repository repo = co_await t.repository(ctx);
  const CommitParams params{.committer = "c", .message = "e", .allow_empty = true};
  constexpr std::string_view kNothing =
      "00fb7eff1a97c500eb3ca8d2ef5464131d6b6a5f9512e41eba97843522213b66";
  EXPECT_EQ((co_await t.engine.commit(ctx, repo, t.main, params)).meta_range_id, kNothing);
  EXPECT_EQ((co_await t.engine.commit(ctx, repo, t.main, params)).meta_range_id, kNothing);
  co_await t.put(ctx, repo, t.main, "a", "1");
  co_await t.commit(ctx, repo, t.main);
  co_await t.engine.remove(ctx, repo, t.main, {"a"}, {});
  EXPECT_EQ((co_await t.commit(ctx, repo, t.main)).meta_range_id, kNothing);
  EXPECT_EQ(co_await t.list(ctx, repo, "main"), Rows{});
}

CO_TEST(EngineEdges, AMergeOfABranchIntoItselfNamesItTwiceAsParent) {
  TestEngine t;
  const Repository repo = co_await t.repository(ctx);
  CO_EXPECT_ERROR(t.engine.merge(ctx, repo, t.main, "main", {.committer = "c"}),
                  ErrorCode::no_changes);
  const auto merged =
      co_await t.engine.merge(ctx, repo, t.main, "main", {.committer = "c", .allow_empty = true});
  const auto commit = co_await t.engine.get_commit(ctx, repo, *merged.commit_id);
  CO_ASSERT_EQ(commit->parents.size(), 2U);
  EXPECT_EQ(commit->parents[0], commit->parents[1]);
  EXPECT_EQ(commit->generation, 2);
}

CO_TEST(EngineEdges, ACommitStandsWhenItsTokensCannotBeQueued) {
  TestStores stores;
  kv::testing::FaultyStore faulty(stores.kv);
  EngineOn t(faulty, stores.objects);
  const Repository repo = co_await t.repository(ctx);
  for (std::uint64_t n = 1; n < 100; ++n) {
    // The queueing is the last call of a commit: find it by its number.
    co_await t.put(ctx, repo, t.main, "a", std::to_string(n));
    const std::uint64_t before = faulty.calls();
    co_await t.commit(ctx, repo, t.main);
    const std::uint64_t calls = faulty.calls() - before;
    co_await t.engine.clean_up(ctx);
    co_await t.put(ctx, repo, t.main, "a", "b" + std::to_string(n));
    faulty.fail_nth(calls, kv::testing::Fault::before);
    co_await t.commit(ctx, repo, t.main);
    EXPECT_EQ(faulty.failures(), n);
    EXPECT_EQ(co_await t.engine.clean_up(ctx), 1U);
    if (n == 3) break;
  }
}

}  // namespace
}  // namespace tarn::versioning
