// Branch protection and repository metadata: records changed by compare-and-set.
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "kv/mem/mem_store.h"
#include "testing/co_test.h"
#include "testing/fake_clock.h"
#include "versioning/refs/keys.h"
#include "versioning/refs/protection.h"
#include "versioning/refs/record_codec.h"
#include "versioning/refs/repo_metadata.h"
#include "versioning/testing/hook_store.h"
#include "versioning/testing/records.h"

namespace tarn::versioning {
namespace {

using enum BlockedAction;

ProtectionRules protecting(const char* pattern) {
  return {{{pattern, {staging_write, commit}}}};
}

struct Settings : ::testing::Test {
  kv::MemStore kv;
  tarn::testing::FakeClock clock;
  Protection protection{kv, clock, std::chrono::seconds(3)};
  Repository repository = testing::make_repository();
  BranchId main = BranchId::from_stored("main");
};

CO_TEST_F(Settings, RulesHaveTheChecksumOfTheirStoredBytes) {
  EXPECT_EQ((co_await self.protection.rules(ctx, self.repository)).checksum, "");
  co_await self.protection.set_rules(ctx, self.repository, protecting("main"), std::nullopt);
  const StoredRules stored = co_await self.protection.rules(ctx, self.repository);
  EXPECT_EQ(stored.rules.rules, protecting("main").rules);
  EXPECT_EQ(stored.checksum, to_hex(sha256(encode_protection_rules(protecting("main")))));
}

CO_TEST_F(Settings, RulesAreReplacedOnlyUnderTheRightChecksum) {
  CO_EXPECT_ERROR(self.protection.set_rules(ctx, self.repository, protecting("x"), "abc"),
                  ErrorCode::precondition_failed);
  co_await self.protection.set_rules(ctx, self.repository, protecting("x"), "");
  CO_EXPECT_ERROR(self.protection.set_rules(ctx, self.repository, protecting("y"), ""),
                  ErrorCode::precondition_failed);
  const auto checksum = (co_await self.protection.rules(ctx, self.repository)).checksum;
  co_await self.protection.set_rules(ctx, self.repository, protecting("y"), checksum);
  CO_EXPECT_ERROR(self.protection.set_rules(ctx, self.repository, protecting("z"), checksum),
                  ErrorCode::precondition_failed);
}

CO_TEST_F(Settings, AnEmptyRuleSetHasTheEmptyChecksum) {
  co_await self.protection.set_rules(ctx, self.repository, {}, std::nullopt);
  EXPECT_EQ((co_await self.protection.rules(ctx, self.repository)).checksum, "");
  co_await self.protection.set_rules(ctx, self.repository, protecting("main"), "");
  EXPECT_TRUE(co_await self.protection.is_protected(ctx, self.repository, self.main, commit));
}

CO_TEST_F(Settings, ProtectionMayBeSecondsOldButNotOwnChanges) {
  EXPECT_FALSE(co_await self.protection.is_protected(ctx, self.repository, self.main, commit));
  Protection other_server(self.kv, self.clock, std::chrono::seconds(3));
  co_await other_server.set_rules(ctx, self.repository, protecting("ma*"), std::nullopt);
  EXPECT_TRUE(co_await other_server.is_protected(ctx, self.repository, self.main, commit));
  EXPECT_FALSE(co_await self.protection.is_protected(ctx, self.repository, self.main, commit));
  self.clock.advance(std::chrono::seconds(3));
  EXPECT_TRUE(co_await self.protection.is_protected(ctx, self.repository, self.main, commit));
}

TEST(Protection, BlocksTheListedActionsOfAnyMatchingPattern) {
  const ProtectionRules rules{{{"main", {commit}}, {"rel-*", {staging_write}}, {"[", {commit}}}};
  EXPECT_TRUE(blocks(rules, "main", commit));
  EXPECT_FALSE(blocks(rules, "main", staging_write));
  EXPECT_TRUE(blocks(rules, "rel-1", staging_write));
  EXPECT_FALSE(blocks(rules, "dev", commit));
}

CO_TEST_F(Settings, MetadataIsMergedAndRemovedTogether) {
  RepoMetadata metadata(self.kv);
  EXPECT_TRUE((co_await metadata.get(ctx, self.repository)).empty());
  co_await metadata.update(ctx, self.repository, {{"a", "1"}, {"b", "2"}}, {});
  co_await metadata.update(ctx, self.repository, {{"b", "3"}, {"c", "4"}}, {"a", "absent"});
  const Metadata expected{{"b", "3"}, {"c", "4"}};
  EXPECT_EQ(co_await metadata.get(ctx, self.repository), expected);
}

struct Interference {
  kv::Store& kv;
  Repository repository;
  int left;

  Task<> act(Context& ctx, const kv::Op& op) {
    if (op.kind != kv::Op::Kind::set_if || left == 0) co_return;
    const std::string name = "other" + std::to_string(left--);
    co_await RepoMetadata(kv).update(ctx, repository, {{name, "x"}}, {});
  }
};

CO_TEST_F(Settings, MetadataUpdatesSurviveOtherWriters) {
  testing::HookStore hooked(self.kv);
  Interference interference{self.kv, self.repository, 2};
  hooked.set_hook([&](Context& c, const kv::Op& op) { return interference.act(c, op); });
  co_await RepoMetadata(hooked).update(ctx, self.repository, {{"mine", "y"}}, {});
  const Metadata expected{{"mine", "y"}, {"other1", "x"}, {"other2", "x"}};
  EXPECT_EQ(co_await RepoMetadata(self.kv).get(ctx, self.repository), expected);
}

}  // namespace
}  // namespace tarn::versioning
