#include "versioning/staging/cleanup.h"

#include <gtest/gtest.h>

#include "kv/mem/mem_store.h"
#include "kv/testing/faulty_store.h"
#include "testing/co_test.h"
#include "testing/fake_clock.h"
#include "versioning/refs/keys.h"
#include "versioning/staging/staging.h"
#include "versioning/testing/records.h"

namespace tarn::versioning {
namespace {

Task<> fill_token(Context& ctx, kv::Store& kv, std::string token, int records) {
  std::vector<kv::Op> ops;
  for (int i = 0; i < records; ++i) {
    ops.push_back(set_op(token, "k" + std::to_string(i), testing::make_value("v")));
  }
  co_await kv.run(ctx, std::move(ops));
}

Task<int> count_keys(Context& ctx, kv::Store& kv, std::string partition) {
  int count = 0;
  auto cursor = kv.scan(partition, {});
  while (cursor->next() || co_await cursor->fill(ctx))
    ++count;
  co_return count;
}

struct CleaningUp : ::testing::Test {
  Task<int> queued(Context& ctx) {
    return count_keys(ctx, kv, std::string(keys::kCleanupPartition));
  }

  kv::MemStore kv;
  tarn::testing::FakeClock clock;
  Cleanup cleanup{kv, clock};
};

CO_TEST_F(CleaningUp, QueuesAsTheReferenceDoes) {
  co_await self.cleanup.enqueue(ctx, {"t1", ""});
  EXPECT_EQ(co_await self.kv.get(ctx, "cleanup-tokens", "t1"), "stub-value");
  EXPECT_EQ(co_await self.queued(ctx), 1);
}

CO_TEST_F(CleaningUp, EmptiesQueuedTokensAndNoOthers) {
  co_await fill_token(ctx, self.kv, "t1", 25);
  co_await fill_token(ctx, self.kv, "t2", 3);
  co_await fill_token(ctx, self.kv, "live", 3);
  co_await self.cleanup.enqueue(ctx, {"t1", "t2", "empty"});
  const CleanupResult result = co_await self.cleanup.run_pass(ctx, {.batch_keys = 10});
  EXPECT_EQ(result.removed, 3U);
  EXPECT_FALSE(result.more);
  EXPECT_EQ(co_await count_keys(ctx, self.kv, "t1"), 0);
  EXPECT_EQ(co_await count_keys(ctx, self.kv, "t2"), 0);
  EXPECT_EQ(co_await count_keys(ctx, self.kv, "live"), 3);
  EXPECT_EQ(co_await self.queued(ctx), 0);
  EXPECT_EQ((co_await self.cleanup.run_pass(ctx)).removed, 0U);
}

CO_TEST_F(CleaningUp, APassIsBounded) {
  co_await self.cleanup.enqueue(ctx, {"a", "b", "c"});
  const CleanupResult first = co_await self.cleanup.run_pass(ctx, {.tokens_max = 2});
  EXPECT_EQ(first.removed, 2U);
  EXPECT_TRUE(first.more);
  EXPECT_EQ((co_await self.cleanup.run_pass(ctx, {.tokens_max = 2})).removed, 1U);
}

CO_TEST_F(CleaningUp, YoungTokensAreLeftToTheirReaders) {
  const CleanupPass pass{.min_age = std::chrono::seconds(30)};
  co_await self.cleanup.enqueue(ctx, {"t"});
  EXPECT_EQ((co_await self.cleanup.run_pass(ctx, pass)).removed, 0U);
  self.clock.advance(std::chrono::seconds(29));
  EXPECT_TRUE((co_await self.cleanup.run_pass(ctx, pass)).more);
  self.clock.advance(std::chrono::seconds(1));
  EXPECT_EQ((co_await self.cleanup.run_pass(ctx, pass)).removed, 1U);
}

CO_TEST_F(CleaningUp, AnInterruptedPassIsFinishedByTheNext) {
  for (std::uint64_t n = 1;; ++n) {
    co_await fill_token(ctx, self.kv, "t", 25);
    kv::testing::FaultyStore faulty(self.kv);
    Cleanup cleanup(faulty, self.clock);
    co_await cleanup.enqueue(ctx, {"t"});
    faulty.fail_nth(n, kv::testing::Fault::midway);
    bool failed = false;
    try {
      co_await cleanup.run_pass(ctx, {.batch_keys = 10});
    } catch (const Error&) {
      failed = true;
    }
    faulty.heal();
    co_await cleanup.run_pass(ctx, {.batch_keys = 10});
    EXPECT_EQ(co_await count_keys(ctx, self.kv, "t"), 0) << n;
    EXPECT_EQ(co_await self.queued(ctx), 0) << n;
    if (!failed) {
      EXPECT_GT(n, 5U);
      co_return;
    }
  }
}

CO_TEST_F(CleaningUp, TokensAreUniqueAndNamedAfterTheirBranch) {
  const std::string token =
      make_staging_token(RepositoryId::from_stored("repo"), BranchId::from_stored("main"));
  EXPECT_TRUE(token.starts_with("repo-main:"));
  EXPECT_EQ(token.size(), std::string("repo-main:").size() + 36);
  EXPECT_NE(token,
            make_staging_token(RepositoryId::from_stored("repo"), BranchId::from_stored("main")));
  co_return;
}

}  // namespace
}  // namespace tarn::versioning
