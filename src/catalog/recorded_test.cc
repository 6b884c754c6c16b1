// Pull requests and runs of actions as the reference stores them.
#include <gtest/gtest.h>

#include "actions.pb.h"
#include "base/error.h"
#include "catalog/test_catalog.h"
#include "graveler.pb.h"
#include "kv.pb.h"
#include "testing/co_test.h"

namespace tarn::catalog {
namespace {

namespace pb = ::io::treeverse::lakefs;

Task<> add_pull(Context& ctx, kv::Store& kv, const versioning::Repository& repository,
                std::string id, pb::graveler::PullRequestStatus status) {
  pb::graveler::PullRequestData pull;
  pull.set_id(id);
  pull.set_status(status);
  pull.set_title("title of " + id);
  pull.mutable_created_at()->set_seconds(1'700'000'000);
  if (status == pb::graveler::MERGED) pull.set_commit_id("merged");
  co_await kv.set(ctx, repository.partition(), "pulls/" + id, pull.SerializeAsString());
}

Task<> add_run(Context& ctx, kv::Store& kv, std::string repository, std::string run,
               std::string branch) {
  pb::actions::RunResultData record;
  record.set_run_id(run);
  record.set_branch_id(branch);
  record.set_event_type("pre-commit");
  record.mutable_start_time()->set_seconds(1'700'000'000);
  const std::string key = "repos/" + repository + "/runs/" + run;
  co_await kv.set(ctx, "actions", key, record.SerializeAsString());
  pb::kv::SecondaryIndex index;
  index.set_primary_key(key);
  co_await kv.set(ctx, "actions", "repos/" + repository + "/branches/" + branch + "/" + run,
                  index.SerializeAsString());
}

std::string ids_of(const versioning::Page<PullRequest>& page) {
  std::string ids;
  for (const auto& pull : page.items)
    ids += pull.id + " ";
  return ids + (page.has_more ? "..." : "");
}

std::string ids_of(const versioning::Page<ActionRun>& page) {
  std::string ids;
  for (const auto& run : page.items)
    ids += run.run_id + " ";
  return ids + (page.has_more ? "..." : "");
}

CO_TEST(Recorded, PullRequestsAreListedInTheOrderOfTheirIdsAndByState) {
  TestCatalog t;
  const auto repo = co_await t.repository(ctx);
  EXPECT_EQ(ids_of(co_await t.catalog.list_pull_requests(ctx, repo, {}, std::nullopt)), "");
  co_await add_pull(ctx, t.kv, repo, "b", pb::graveler::OPEN);
  co_await add_pull(ctx, t.kv, repo, "a", pb::graveler::CLOSED);
  co_await add_pull(ctx, t.kv, repo, "c", pb::graveler::MERGED);
  const auto list = [&](versioning::PageRequest page, std::optional<bool> open) {
    return t.catalog.list_pull_requests(ctx, repo, std::move(page), open);
  };
  EXPECT_EQ(ids_of(co_await list({}, std::nullopt)), "a b c ");
  EXPECT_EQ(ids_of(co_await list({}, true)), "b ");
  EXPECT_EQ(ids_of(co_await list({}, false)), "a c ");
  EXPECT_EQ(ids_of(co_await list({.amount = 2}, std::nullopt)), "a b ...");
  EXPECT_EQ(ids_of(co_await list({.after = "b", .amount = 2}, std::nullopt)), "c ");
  EXPECT_EQ(ids_of(co_await list({.prefix = "b"}, std::nullopt)), "b ");
}

CO_TEST(Recorded, OnePullRequestIsFoundWhole) {
  TestCatalog t;
  const auto repo = co_await t.repository(ctx);
  co_await add_pull(ctx, t.kv, repo, "c", pb::graveler::MERGED);
  const auto found = co_await t.catalog.find_pull_request(ctx, repo, "c");
  CO_ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->status, PullRequest::Status::merged);
  EXPECT_EQ(found->merged_commit_id, "merged");
  EXPECT_EQ(found->created_at.seconds, 1'700'000'000);
  EXPECT_FALSE(found->closed_at.has_value());
  EXPECT_FALSE((co_await t.catalog.find_pull_request(ctx, repo, "d")).has_value());
}

CO_TEST(Recorded, RunsOfABranchAreNotThoseOfALongerName) {
  TestCatalog t;
  const auto repo = co_await t.repository(ctx);
  co_await add_run(ctx, t.kv, "repo", "r1", "a");
  co_await add_run(ctx, t.kv, "repo", "r2", "ab");
  co_await add_run(ctx, t.kv, "repository", "r3", "a");
  EXPECT_EQ(ids_of(co_await t.catalog.list_runs(ctx, repo, {}, {})), "r1 r2 ");
  EXPECT_EQ(ids_of(co_await t.catalog.list_runs(ctx, repo, {}, {.branch = "a"})), "r1 ");
  EXPECT_EQ(ids_of(co_await t.catalog.list_runs(ctx, repo, {}, {.commit = "none"})), "");
  EXPECT_TRUE((co_await t.catalog.find_run(ctx, repo, "r2")).has_value());
  EXPECT_FALSE((co_await t.catalog.find_run(ctx, repo, "r3")).has_value());
}

CO_TEST(Recorded, OutputOfAHookComesFromTheNamespace) {
  TestCatalog t;
  const auto repo = co_await t.repository(ctx);
  pb::actions::TaskResultData task;
  task.set_hook_run_id("0000_0000");
  task.mutable_start_time()->set_seconds(1'700'000'000);
  co_await t.kv.set(ctx, "actions", "repos/repo/tasks/r1/0000_0000", task.SerializeAsString());
  EXPECT_FALSE(co_await t.catalog.hook_output(ctx, repo, "r1", "0000_0000"));
  io::StringSource log("it said this");
  co_await t.objects.put(ctx,
                         {.storage_namespace = repo.storage_namespace,
                          .address = "_lakefs/actions/log/r1/0000_0000.log"},
                         log);
  EXPECT_EQ(co_await t.catalog.hook_output(ctx, repo, "r1", "0000_0000"), "it said this");
  EXPECT_FALSE(co_await t.catalog.hook_output(ctx, repo, "r1", "0000_0001"));
  // One that had no turn printed nothing.
  task.set_hook_run_id("0000_0001");
  task.mutable_start_time()->set_seconds(-62'135'596'800);
  co_await t.kv.set(ctx, "actions", "repos/repo/tasks/r1/0000_0001", task.SerializeAsString());
  EXPECT_EQ(co_await t.catalog.hook_output(ctx, repo, "r1", "0000_0001"), "");
  const auto hooks = co_await t.catalog.list_hook_runs(ctx, repo, "r1", {});
  CO_ASSERT_EQ(hooks.items.size(), 2u);
  EXPECT_TRUE(hooks.items[1].skipped());
}

CO_TEST(Recorded, DamagedRecordsAreCorrupt) {
  TestCatalog t;
  const auto repo = co_await t.repository(ctx);
  co_await t.kv.set(ctx, repo.partition(), "pulls/x", "\xff\xff");
  CO_EXPECT_ERROR(t.catalog.find_pull_request(ctx, repo, "x"), ErrorCode::corrupt);
}

}  // namespace
}  // namespace tarn::catalog
