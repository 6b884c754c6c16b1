#include "versioning/refs/resolver.h"

#include <gtest/gtest.h>

#include "kv/mem/mem_store.h"
#include "testing/co_test.h"
#include "versioning/testing/records.h"

namespace tarn::versioning {
namespace {

using testing::commit_id;
using testing::make_branch;
using testing::make_commit;

struct Resolving : ::testing::Test {
  Task<> fill(Context& ctx) {
    co_await commits.put(ctx, repository, make_commit("root", {}));
    co_await commits.put(ctx, repository, make_commit("a", {.parents = {"root"}}));
    co_await commits.put(ctx, repository, make_commit("b", {.parents = {"root"}}));
    co_await commits.put(ctx, repository, make_commit("m", {.parents = {"a", "b"}}));
    EXPECT_TRUE(co_await branches.create(ctx, repository, make_branch("main", "t", "m")));
    EXPECT_TRUE(co_await tags.create(
        ctx, repository, {.id = TagId::from_stored("v1.0"), .commit_id = commit_id("b")}));
    EXPECT_TRUE(co_await tags.create(
        ctx, repository, {.id = TagId::from_stored("main"), .commit_id = commit_id("b")}));
  }

  /// The message of the commit a reference comes to.
  Task<std::string> at(Context& ctx, std::string text) {
    const ResolvedRef ref = co_await resolver.resolve(ctx, repository, text);
    co_return (co_await commits.get(ctx, repository, ref.commit_id))->message;
  }

  kv::MemStore kv;
  Branches branches{kv};
  Tags tags{kv};
  Commits commits{kv, 100};
  Resolver resolver{branches, tags, commits};
  Repository repository = testing::make_repository();
};

CO_TEST_F(Resolving, FollowsModifiersFromLeftToRight) {
  co_await self.fill(ctx);
  EXPECT_EQ(co_await self.at(ctx, "main"), "m");
  EXPECT_EQ(co_await self.at(ctx, "main~0"), "m");
  EXPECT_EQ(co_await self.at(ctx, "main^0"), "m");
  EXPECT_EQ(co_await self.at(ctx, "main~"), "a");
  EXPECT_EQ(co_await self.at(ctx, "main^2"), "b");
  EXPECT_EQ(co_await self.at(ctx, "main~2"), "root");
  EXPECT_EQ(co_await self.at(ctx, "main^2~1"), "root");
  EXPECT_EQ(co_await self.at(ctx, "v1.0^"), "root");
  CO_EXPECT_ERROR(self.at(ctx, "main~3"), ErrorCode::not_found);
  CO_EXPECT_ERROR(self.at(ctx, "main~3$"), ErrorCode::not_found);
  CO_EXPECT_ERROR(self.at(ctx, "main~1$"), ErrorCode::invalid_argument);
  CO_EXPECT_ERROR(self.at(ctx, "main^3"), ErrorCode::invalid_argument);
  CO_EXPECT_ERROR(self.at(ctx, "v1.0^^"), ErrorCode::invalid_argument);
  CO_EXPECT_ERROR(self.at(ctx, "main~x"), ErrorCode::invalid_argument);
}

CO_TEST_F(Resolving, TriesCommitThenBranchThenTagThenPrefix) {
  co_await self.fill(ctx);
  const std::string id = commit_id("a").str();
  EXPECT_EQ(co_await self.at(ctx, id), "a");
  EXPECT_EQ(co_await self.at(ctx, id.substr(0, 12)), "a");
  EXPECT_EQ((co_await self.resolver.resolve(ctx, self.repository, "main")).kind,
            ResolvedRef::Kind::branch);
  // A branch with the name of a prefix wins over the prefix, one with a full id does not.
  EXPECT_TRUE(
      co_await self.branches.create(ctx, self.repository, make_branch(id.substr(0, 12), "t", "b")));
  EXPECT_TRUE(co_await self.branches.create(ctx, self.repository, make_branch(id, "t", "b")));
  EXPECT_EQ(co_await self.at(ctx, id.substr(0, 12)), "b");
  EXPECT_EQ(co_await self.at(ctx, id), "a");
  CO_EXPECT_ERROR(self.at(ctx, "nothing"), ErrorCode::not_found);
  CO_EXPECT_ERROR(self.at(ctx, std::string(64, 'e')), ErrorCode::not_found);
}

CO_TEST_F(Resolving, AnAmbiguousPrefixNamesNothing) {
  Commit one = make_commit("one", {});
  one.id = CommitId::from_stored("abc1" + std::string(60, '0'));
  Commit two = make_commit("two", {});
  two.id = CommitId::from_stored("abc2" + std::string(60, '0'));
  co_await self.commits.put(ctx, self.repository, one);
  co_await self.commits.put(ctx, self.repository, two);
  CO_EXPECT_ERROR(self.at(ctx, "abc"), ErrorCode::not_found);
  EXPECT_EQ(co_await self.at(ctx, "abc1"), "one");
  CO_EXPECT_ERROR(self.at(ctx, "ABC1"), ErrorCode::not_found);
}

CO_TEST_F(Resolving, SaysWhetherStagingIsMeant) {
  co_await self.fill(ctx);
  const ResolvedRef plain = co_await self.resolver.resolve(ctx, self.repository, "main");
  EXPECT_TRUE(plain.staged);
  EXPECT_FALSE(plain.dollar);
  EXPECT_EQ(plain.branch->staging_token, "t");
  const ResolvedRef head = co_await self.resolver.resolve(ctx, self.repository, "main@");
  EXPECT_FALSE(head.staged);
  EXPECT_EQ(head.kind, ResolvedRef::Kind::branch);
  const ResolvedRef dollar = co_await self.resolver.resolve(ctx, self.repository, "main$");
  EXPECT_TRUE(dollar.staged);
  EXPECT_TRUE(dollar.dollar);
  EXPECT_FALSE((co_await self.resolver.resolve(ctx, self.repository, "main~0")).staged);
  CO_EXPECT_ERROR(self.at(ctx, "v1.0@"), ErrorCode::invalid_argument);
  CO_EXPECT_ERROR(self.at(ctx, commit_id("a").str() + "$"), ErrorCode::invalid_argument);
  CO_EXPECT_ERROR(self.resolver.resolve_to_commit(ctx, self.repository, "main$"),
                  ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace tarn::versioning
