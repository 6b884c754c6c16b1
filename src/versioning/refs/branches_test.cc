#include "versioning/refs/branches.h"

#include <gtest/gtest.h>

#include "kv/mem/mem_store.h"
#include "kv/testing/faulty_store.h"
#include "testing/co_test.h"
#include "versioning/refs/tags.h"
#include "versioning/testing/hook_store.h"
#include "versioning/testing/records.h"

namespace tarn::versioning {
namespace {

using testing::HookStore;
using testing::make_branch;

struct BranchRecords : ::testing::Test {
  Task<std::optional<Branch>> next_token(const Branch& current) {
    ++computed;
    Branch changed = current;
    changed.staging_token += "+";
    co_return changed;
  }

  /// Another server changes the branch right before it is written.
  Task<> interfere(Context& ctx, const kv::Op& op) {
    if (op.kind != kv::Op::Kind::set_if || interferences == 0) co_return;
    --interferences;
    Branch other = co_await Branches(kv).get(ctx, repository, main);
    other.sealed_tokens.push_back("other");
    co_await Branches(kv).put(ctx, repository, other);
  }

  kv::MemStore kv;
  HookStore hooked{kv};
  Branches branches{hooked, {.update_tries = 4, .update_backoff = std::chrono::milliseconds(0)}};
  Repository repository = testing::make_repository();
  BranchId main = BranchId::from_stored("main");
  Branches::Compute add_plus = [this](const Branch& current) { return next_token(current); };
  int computed = 0;
  int interferences = 0;
};

CO_TEST_F(BranchRecords, AreCreatedOnce) {
  EXPECT_TRUE(co_await self.branches.create(ctx, self.repository, make_branch("main", "t")));
  EXPECT_FALSE(co_await self.branches.create(ctx, self.repository, make_branch("main", "u")));
  EXPECT_EQ((co_await self.branches.get(ctx, self.repository, self.main)).staging_token, "t");
  co_await self.branches.remove(ctx, self.repository, self.main);
  EXPECT_FALSE(co_await self.branches.find(ctx, self.repository, self.main));
  CO_EXPECT_ERROR(self.branches.get(ctx, self.repository, self.main), ErrorCode::branch_not_found);
}

CO_TEST_F(BranchRecords, ListInPagesWithoutTheHidden) {
  for (const char* id : {"a", "b1", "b2", "b3", "c"}) {
    Branch branch = make_branch(id, "t");
    branch.hidden = branch.id.str() == "b2";
    co_await self.branches.put(ctx, self.repository, branch);
  }
  co_await Tags(self.kv).put(
      ctx, self.repository, {.id = TagId::from_stored("b9"), .commit_id = testing::commit_id("x")});
  auto page =
      co_await self.branches.list(ctx, self.repository, {.prefix = "b", .amount = 1}, false);
  CO_ASSERT_EQ(page.items.size(), 1U);
  EXPECT_EQ(page.items[0].id.str(), "b1");
  EXPECT_TRUE(page.has_more);
  page = co_await self.branches.list(ctx, self.repository,
                                     {.prefix = "b", .after = "b1", .amount = 1}, false);
  CO_ASSERT_EQ(page.items.size(), 1U);
  EXPECT_EQ(page.items[0].id.str(), "b3");
  EXPECT_FALSE(page.has_more);
  page = co_await self.branches.list(ctx, self.repository, {.prefix = "b", .after = "a0"}, true);
  EXPECT_EQ(page.items.size(), 3U);
  page = co_await self.branches.list(ctx, self.repository, {.prefix = "b", .after = "c"}, true);
  EXPECT_TRUE(page.items.empty());
  page = co_await self.branches.list(ctx, self.repository, {.after = "b3", .amount = 9}, true);
  EXPECT_EQ(page.items.size(), 1U);
}

CO_TEST_F(BranchRecords, OneAttemptLosesAgainstAnother) {
  co_await self.branches.put(ctx, self.repository, make_branch("main", "t"));
  self.hooked.set_hook([&](Context& c, const kv::Op& op) { return self.interfere(c, op); });
  self.interferences = 1;
  EXPECT_EQ(co_await self.branches.update_once(ctx, self.repository, self.main, self.add_plus),
            kv::SetIf::lost);
  EXPECT_EQ((co_await self.branches.get(ctx, self.repository, self.main)).staging_token, "t");
  EXPECT_EQ(co_await self.branches.update_once(ctx, self.repository, self.main, self.add_plus),
            kv::SetIf::stored);
}

CO_TEST_F(BranchRecords, UpdateComputesAgainWhenLost) {
  co_await self.branches.put(ctx, self.repository, make_branch("main", "t"));
  self.hooked.set_hook([&](Context& c, const kv::Op& op) { return self.interfere(c, op); });
  self.interferences = 3;
  const Branch stored =
      co_await self.branches.update(ctx, self.repository, self.main, self.add_plus);
  EXPECT_EQ(self.computed, 4);
  EXPECT_EQ(stored.staging_token, "t+");
  EXPECT_EQ(stored.sealed_tokens.size(), 3U);
  self.interferences = 4;
  CO_EXPECT_ERROR(self.branches.update(ctx, self.repository, self.main, self.add_plus),
                  ErrorCode::too_many_tries);
}

Task<std::optional<Branch>> unchanged(const Branch&) {
  co_return std::nullopt;
}

Task<std::optional<Branch>> refuse(const Branch&) {
  throw Error(ErrorCode::dirty_branch, "dirty");
  co_return std::nullopt;
}

CO_TEST_F(BranchRecords, AnUpdateWhoseAnswerIsLostIsNoFailure) {
  co_await self.branches.create(ctx, self.repository, make_branch("main", "t"));
  kv::testing::FaultyStore faulty(self.kv);
  Branches branches(faulty, {.update_tries = 4, .update_backoff = std::chrono::milliseconds(0)});
  constexpr std::uint64_t kWrite = 2;  // after the read of the record
  faulty.fail_nth(kWrite, kv::testing::Fault::after);
  const Branch stored = co_await branches.update(ctx, self.repository, self.main, self.add_plus);
  EXPECT_EQ(stored.staging_token, "t+");
  EXPECT_EQ(self.computed, 1);
  faulty.fail_nth(kWrite, kv::testing::Fault::before);
  CO_EXPECT_ERROR(branches.update(ctx, self.repository, self.main, self.add_plus),
                  ErrorCode::unavailable);
  EXPECT_EQ((co_await self.branches.get(ctx, self.repository, self.main)).staging_token, "t+");
}

CO_TEST_F(BranchRecords, UpdateMayLeaveOrRefuse) {
  CO_EXPECT_ERROR(self.branches.update(ctx, self.repository, self.main, &unchanged),
                  ErrorCode::branch_not_found);
  co_await self.branches.put(ctx, self.repository, make_branch("main", "t"));
  const Branch same = co_await self.branches.update(ctx, self.repository, self.main, &unchanged);
  EXPECT_EQ(same.staging_token, "t");
  CO_EXPECT_ERROR(self.branches.update(ctx, self.repository, self.main, &refuse),
                  ErrorCode::dirty_branch);
}

TEST(Backoff, DoublesUpToItsBoundAndIsJittered) {
  using std::chrono::milliseconds;
  const BranchesConfig config{.update_tries = 10,
                              .update_backoff = milliseconds(100),
                              .update_backoff_max = milliseconds(5'000)};
  EXPECT_EQ(backoff_pause(config, 1, 0.5), milliseconds(100));
  EXPECT_EQ(backoff_pause(config, 2, 0.5), milliseconds(200));
  EXPECT_EQ(backoff_pause(config, 2, 0.0), milliseconds(100));
  EXPECT_EQ(backoff_pause(config, 9, 0.5), milliseconds(5'000));
  EXPECT_EQ(backoff_pause(config, 1'000, 0.5), milliseconds(5'000));
}

}  // namespace
}  // namespace tarn::versioning
