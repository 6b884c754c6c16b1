#include "versioning/refs/commits.h"

#include <gtest/gtest.h>

#include "kv/mem/mem_store.h"
#include "testing/co_test.h"
#include "versioning/testing/hook_store.h"
#include "versioning/testing/records.h"

namespace tarn::versioning {
namespace {

using testing::commit_id;
using testing::HookStore;
using testing::make_commit;

struct CommitRecords : ::testing::Test {
  kv::MemStore kv;
  HookStore counted{kv};
  Commits commits{counted, 100};
  Repository repository = testing::make_repository();
};

CO_TEST_F(CommitRecords, AreReadFromTheStoreOnce) {
  co_await Commits(self.kv, 0).put(ctx, self.repository, make_commit("c", {}));
  EXPECT_EQ(self.commits.cached(self.repository.partition(), commit_id("c")), nullptr);
  const CommitPtr first = co_await self.commits.get(ctx, self.repository, commit_id("c"));
  EXPECT_EQ(co_await self.commits.get(ctx, self.repository, commit_id("c")), first);
  EXPECT_EQ(self.counted.calls(), 1U);
}

CO_TEST_F(CommitRecords, AreNotRememberedAsMissing) {
  EXPECT_EQ(co_await self.commits.find(ctx, self.repository, commit_id("c")), nullptr);
  CO_EXPECT_ERROR(self.commits.get(ctx, self.repository, commit_id("c")),
                  ErrorCode::commit_not_found);
  co_await Commits(self.kv, 0).put(ctx, self.repository, make_commit("c", {}));
  EXPECT_NE(co_await self.commits.find(ctx, self.repository, commit_id("c")), nullptr);
}

CO_TEST_F(CommitRecords, TheFirstOfEqualIdStays) {
  EXPECT_TRUE(
      co_await Commits(self.kv, 0).put(ctx, self.repository, make_commit("c", {.date = {1, 1}})));
  EXPECT_FALSE(co_await self.commits.put(ctx, self.repository, make_commit("c", {.date = {1, 2}})));
  EXPECT_EQ((co_await self.commits.get(ctx, self.repository, commit_id("c")))->creation_date.nanos,
            1);
}

CO_TEST_F(CommitRecords, BelongToOneInstanceOfARepository) {
  co_await self.commits.put(ctx, self.repository, make_commit("c", {}));
  const Repository again = testing::make_repository("repo", "another-uid");
  EXPECT_EQ(co_await self.commits.find(ctx, again, commit_id("c")), nullptr);
}

CO_TEST_F(CommitRecords, TheCacheKeepsToItsBoundAndDropsTheLeastUsed) {
  Commits small(self.counted, 32);  // two in each of sixteen shards
  for (int i = 0; i < 500; ++i) {
    co_await small.put(ctx, self.repository, make_commit("c" + std::to_string(i), {}));
  }
  int kept = 0;
  for (int i = 0; i < 500; ++i) {
    if (small.cached(self.repository.partition(), commit_id("c" + std::to_string(i)))) ++kept;
  }
  EXPECT_GT(kept, 0);
  EXPECT_LE(kept, 32);
  EXPECT_NE(small.cached(self.repository.partition(), commit_id("c499")), nullptr);
}

CO_TEST_F(CommitRecords, ListById) {
  for (const char* name : {"a", "b", "c"}) {
    co_await self.commits.put(ctx, self.repository, make_commit(name, {}));
  }
  const auto page = co_await self.commits.list(ctx, self.repository, {.amount = 2});
  CO_ASSERT_EQ(page.items.size(), 2U);
  EXPECT_LT(page.items[0].id, page.items[1].id);
  EXPECT_TRUE(page.has_more);
}

}  // namespace
}  // namespace tarn::versioning
