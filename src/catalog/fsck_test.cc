#include "catalog/fsck.h"

#include <gtest/gtest.h>

#include "catalog/test_catalog.h"
#include "testing/co_test.h"

namespace tarn::catalog {
namespace {

struct Checked {
  FsckReport report;
  std::vector<std::string> kinds;
};

Task<Checked> check(TestCatalog& t, Context& ctx) {
  // Its own reader: nothing the tests did before is in its caches.
  versioning::Committed committed(t.objects, t.pool, {});
  versioning::Engine engine(
      {.kv = t.kv, .committed = committed, .clock = t.clock, .loops = nullptr}, {});
  Checked checked;
  checked.report =
      co_await run_fsck(ctx, t.kv, t.objects, engine, committed, {.read_objects = true},
                        [&](const Problem& problem) { checked.kinds.push_back(problem.kind); });
  co_return checked;
}

Task<versioning::Repository> fill(TestCatalog& t, Context& ctx) {
  const auto repo = co_await t.repository(ctx);
  for (const char* path : {"a", "b", "c/d", "c/e"})
    co_await t.upload(ctx, repo, path, path);
  co_await t.engine.commit(ctx, repo, t.main, {.committer = "c", .message = "m"});
  co_await t.engine.create_tag(ctx, repo, TagId::from_stored("v1"), "main", false);
  co_await t.upload(ctx, repo, "staged", "text");
  co_return repo;
}

using Kinds = std::vector<std::string>;

CO_TEST(Fsck, FindsNothingInAWholeStore) {
  TestCatalog t;
  co_await fill(t, ctx);
  const Checked checked = co_await check(t, ctx);
  EXPECT_EQ(checked.kinds, Kinds{});
  EXPECT_TRUE(checked.report.clean());
  EXPECT_EQ(checked.report.entries, 4U);
  EXPECT_EQ(checked.report.staged, 1U);
  EXPECT_EQ(checked.report.objects, 5U);
  EXPECT_EQ(checked.report.commits, 2U);
}

CO_TEST(Fsck, FindsAMissingAndAChangedObject) {
  TestCatalog t;
  const auto repo = co_await fill(t, ctx);
  const auto missing = co_await t.catalog.find(ctx, repo, "main", "a");
  co_await t.objects.remove(
      ctx, {.storage_namespace = repo.storage_namespace, .address = missing->address});
  const auto changed = co_await t.catalog.find(ctx, repo, "main", "b");
  io::StringSource other("B");
  co_await t.objects.put(
      ctx, {.storage_namespace = repo.storage_namespace, .address = changed->address}, other);
  const Checked checked = co_await check(t, ctx);
  EXPECT_EQ(checked.kinds, (Kinds{"object missing", "object content mismatch"}));
}

CO_TEST(Fsck, FindsABranchToNowhere) {
  TestCatalog t;
  const auto repo = co_await fill(t, ctx);
  auto head = co_await t.engine.get_branch(ctx, repo, t.main);
  co_await t.kv.erase(ctx, repo.partition(), "commits/" + head.commit_id.str());
  const Checked checked = co_await check(t, ctx);
  EXPECT_EQ(checked.kinds, Kinds{"commit missing"});
}

CO_TEST(Fsck, FindsAMissingTreeAndADamagedRange) {
  TestCatalog t;
  const auto repo = co_await fill(t, ctx);
  const auto head = co_await t.engine.resolve_commit(ctx, repo, "main@");
  const auto ranges = co_await t.committed.ranges(ctx, repo.storage_namespace, head->meta_range_id);
  const auto range = t.committed.object_of(repo.storage_namespace, ranges.front().id);
  const auto source = co_await t.objects.get(ctx, range);
  std::string bytes = co_await io::read_all(ctx, *source, 1'000'000);
  bytes[10] = static_cast<char>(bytes[10] ^ 1);
  io::StringSource damaged(bytes);
  co_await t.objects.put(ctx, range, damaged);
  EXPECT_EQ((co_await check(t, ctx)).kinds, Kinds{"range corrupt"});
  co_await t.objects.remove(ctx,
                            t.committed.object_of(repo.storage_namespace, head->meta_range_id));
  EXPECT_EQ((co_await check(t, ctx)).kinds, Kinds{"metarange missing"});
}

}  // namespace
}  // namespace tarn::catalog
