#include "versioning/refs/repositories.h"

#include <gtest/gtest.h>

#include "kv/mem/mem_store.h"
#include "kv/testing/faulty_store.h"
#include "testing/co_test.h"
#include "testing/fake_clock.h"
#include "versioning/refs/branches.h"
#include "versioning/refs/commits.h"
#include "versioning/refs/keys.h"
#include "versioning/refs/repo_metadata.h"
#include "versioning/refs/tags.h"
#include "versioning/testing/records.h"

namespace tarn::versioning {
namespace {

using testing::commit_id;
using testing::make_branch;
using testing::make_commit;
using testing::make_repository;

Task<std::vector<std::string>> keys_of(Context& ctx, kv::Store& kv, std::string partition) {
  std::vector<std::string> keys;
  auto cursor = kv.scan(partition, {});
  while (cursor->next() || co_await cursor->fill(ctx))
    keys.emplace_back(cursor->key());
  co_return keys;
}

struct RepositoryRecords : ::testing::Test {
  Task<> fill(Context& ctx) {
    const Repository repository = make_repository();
    EXPECT_TRUE(co_await repositories.create(ctx, repository));
    for (int i = 0; i < 700; ++i) {
      Branch branch = make_branch("b" + std::to_string(i), "t" + std::to_string(i));
      branch.sealed_tokens = {"s" + std::to_string(i)};
      co_await Branches(kv).put(ctx, repository, branch);
    }
    co_await Tags(kv).put(ctx, repository,
                          {.id = TagId::from_stored("v1"), .commit_id = commit_id("c")});
    co_await Commits(kv, 0).put(ctx, repository, make_commit("c", {}));
    co_await RepoMetadata(kv).update(ctx, repository, {{"a", "b"}}, {});
    co_await kv.set(ctx, repository.partition(), keys::kProtectedBranches, "");
  }

  kv::MemStore kv;
  tarn::testing::FakeClock clock;
  Repositories repositories{kv, clock, std::chrono::seconds(5)};
  Cleanup cleanup{kv, clock};
  RepositoryId id = RepositoryId::from_stored("repo");
};

CO_TEST_F(RepositoryRecords, AreCreatedOnceAndCached) {
  CO_EXPECT_ERROR(self.repositories.get(ctx, self.id), ErrorCode::repository_not_found);
  EXPECT_TRUE(co_await self.repositories.create(ctx, make_repository()));
  EXPECT_FALSE(co_await self.repositories.create(ctx, make_repository("repo", "other")));
  const auto first = co_await self.repositories.get(ctx, self.id);
  EXPECT_EQ(first->instance_uid, "uid");
  EXPECT_EQ(co_await self.repositories.get(ctx, self.id), first);
  self.clock.advance(std::chrono::seconds(5));
  EXPECT_NE(co_await self.repositories.get(ctx, self.id), first);
}

CO_TEST_F(RepositoryRecords, ListByPrefixAndSearch) {
  for (const char* id : {"one", "other", "two", "two-one"}) {
    EXPECT_TRUE(co_await self.repositories.create(ctx, make_repository(id)));
  }
  auto page = co_await self.repositories.list(ctx, {.prefix = "o"});
  EXPECT_EQ(page.items.size(), 2U);
  page = co_await self.repositories.list(ctx, {.amount = 1}, "one");
  CO_ASSERT_EQ(page.items.size(), 1U);
  EXPECT_TRUE(page.has_more);
  page = co_await self.repositories.list(ctx, {.after = "one", .amount = 1}, "one");
  CO_ASSERT_EQ(page.items.size(), 1U);
  EXPECT_EQ(page.items[0].id.str(), "two-one");
  EXPECT_FALSE(page.has_more);
}

CO_TEST_F(RepositoryRecords, RemovalTakesRecordsAndQueuesTokens) {
  co_await self.fill(ctx);
  co_await self.repositories.get(ctx, self.id);
  co_await self.repositories.remove(ctx, self.id, self.cleanup);
  CO_EXPECT_ERROR(self.repositories.get(ctx, self.id), ErrorCode::repository_not_found);
  const auto left = co_await keys_of(ctx, self.kv, make_repository().partition());
  EXPECT_EQ(left, std::vector<std::string>{std::string(keys::kProtectedBranches)});
  const auto queued = co_await keys_of(ctx, self.kv, std::string(keys::kCleanupPartition));
  EXPECT_EQ(queued.size(), 1'400U);
  co_await self.repositories.remove(ctx, self.id, self.cleanup);  // again: nothing to do
}

CO_TEST_F(RepositoryRecords, InterruptedRemovalRefusesAccessAndResumes) {
  for (std::uint64_t n = 1;; ++n) {
    kv::MemStore kv;
    kv::testing::FaultyStore faulty(kv);
    Repositories repositories(faulty, self.clock, std::chrono::seconds(5));
    Cleanup cleanup(faulty, self.clock);
    EXPECT_TRUE(co_await repositories.create(ctx, make_repository()));
    for (const char* id : {"main", "dev"}) {
      co_await Branches(kv).put(ctx, make_repository(), make_branch(id, std::string("t-") + id));
    }
    faulty.fail_nth(n, kv::testing::Fault::midway);
    bool failed = false;
    try {
      co_await repositories.remove(ctx, self.id, cleanup);
    } catch (const Error&) {
      failed = true;
    }
    faulty.heal();
    if (!failed) {
      EXPECT_GT(n, 4U);
      co_return;
    }
    co_await repositories.remove(ctx, self.id, cleanup);
    EXPECT_FALSE(co_await repositories.find(ctx, self.id)) << n;
    EXPECT_TRUE((co_await keys_of(ctx, kv, make_repository().partition())).empty()) << n;
    EXPECT_EQ((co_await keys_of(ctx, kv, std::string(keys::kCleanupPartition))).size(), 2U) << n;
  }
}

CO_TEST_F(RepositoryRecords, InDeletionAnswersSo) {
  Repository repository = make_repository();
  repository.state = RepositoryState::in_deletion;
  EXPECT_TRUE(co_await self.repositories.create(ctx, repository));
  CO_EXPECT_ERROR(self.repositories.get(ctx, self.id), ErrorCode::repository_in_deletion);
}

}  // namespace
}  // namespace tarn::versioning
