#include "catalog/fsck.h"

#include <functional>

#include <gtest/gtest.h>

#include "base/format.h"
#include "catalog/fsck_history.h"
#include "catalog/test_catalog.h"
#include "testing/co_test.h"
#include "versioning/refs/keys.h"
#include "versioning/refs/record_codec.h"

namespace tarn::catalog {

// For gtest's messages.
static void PrintTo(Finding finding, std::ostream* out) {  // NOLINT(readability-identifier-naming)
  *out << to_string(finding);
}

namespace {

namespace keys = versioning::keys;
using versioning::Repository;

struct Checked {
  FsckReport report;
  std::vector<Problem> problems;

  std::vector<Finding> findings() const {
    std::vector<Finding> all;
    for (const Problem& problem : problems)
      all.push_back(problem.finding);
    return all;
  }
};

Task<Checked> check(TestCatalog& t, Context& ctx, FsckOptions options = {.read_objects = true}) {
  // Its own reader: nothing the tests did before is in its caches.
  versioning::Committed committed(t.objects, t.pool, {});
  Checked checked;
  checked.report = co_await run_fsck(
      ctx, {.kv = t.kv, .objects = t.objects, .committed = committed}, std::move(options),
      [&](const Problem& problem) { checked.problems.push_back(problem); });
  co_await committed.close();
  co_return checked;
}

/// main: "first" {a, b, c/d, c/e}, then "second" which adds bb, then `staged` uncommitted; tag v1
/// and branch `old` at "first".
Task<Repository> fill(TestCatalog& t, Context& ctx) {
  const auto repo = co_await t.repository(ctx);
  for (const char* path : {"a", "b", "c/d", "c/e"})
    co_await t.upload(ctx, repo, path, path);
  co_await t.engine.commit(ctx, repo, t.main, {.committer = "c", .message = "first"});
  co_await t.engine.create_tag(ctx, repo, TagId::from_stored("v1"), "main", false);
  co_await t.engine.create_branch(ctx, repo, BranchId::from_stored("old"), "main", false, false);
  co_await t.upload(ctx, repo, "bb", "f");
  co_await t.engine.commit(ctx, repo, t.main, {.committer = "c", .message = "second"});
  co_await t.upload(ctx, repo, "staged", "text");
  co_return repo;
}

/// A filled repository to be damaged.
struct Victim {
  TestCatalog& t;
  Context& ctx;
  Repository repo;

  Task<block::ObjectRef> object(std::string path) {
    const auto entry = co_await t.catalog.find(ctx, repo, "main", path);
    co_return block::ObjectRef{.storage_namespace = repo.storage_namespace,
                               .address = entry->address};
  }

  Task<versioning::CommitPtr> commit(std::string ref) {
    co_return co_await t.engine.resolve_commit(ctx, repo, ref);
  }

  Task<block::ObjectRef> metarange(std::string ref) {
    const auto commit_ptr = co_await commit(std::move(ref));
    co_return t.committed.object_of(repo.storage_namespace, commit_ptr->meta_range_id);
  }

  Task<block::ObjectRef> range(std::string ref) {
    const auto commit_ptr = co_await commit(std::move(ref));
    const auto ranges =
        co_await t.committed.ranges(ctx, repo.storage_namespace, commit_ptr->meta_range_id);
    co_return t.committed.object_of(repo.storage_namespace, ranges.back().id);
  }

  Task<std::string> read(block::ObjectRef ref) {
    const auto source = co_await t.objects.get(ctx, ref);
    co_return co_await io::read_all(ctx, *source, 1'000'000);
  }

  Task<> write(block::ObjectRef ref, std::string bytes) {
    io::StringSource body(std::move(bytes));
    co_await t.objects.put(ctx, ref, body);
  }

  Task<> flip(block::ObjectRef ref, std::size_t at) {
    std::string bytes = co_await read(ref);
    bytes[at] = static_cast<char>(bytes[at] ^ 1);
    co_await write(ref, std::move(bytes));
  }

  Task<versioning::Branch> branch(std::string id) {
    co_return co_await t.engine.get_branch(ctx, repo, BranchId::from_stored(std::move(id)));
  }

  Task<> put_branch(versioning::Branch changed) {
    co_await t.kv.set(ctx, partition(), keys::branch(changed.id),
                      versioning::encode_branch(changed));
  }

  std::string partition() const { return repo.partition(); }
};

const std::string kNowhere(64, 'e');
const std::string kLeaked = "repo-gone:01234567-89ab-cdef-0123-456789abcdef";

struct Planted {
  const char* name;
  Finding finding;
  Task<> (*plant)(Victim&);
  /// What the finding must name: heads, and those that only have it in their history.
  std::vector<std::string> heads = {};
  std::vector<std::string> history = {};
};

const std::vector<Planted> kPlanted = {
    {"AMissingObject",
     Finding::object_missing,
     [](Victim& v) -> Task<> { co_await v.t.objects.remove(v.ctx, co_await v.object("a")); },
     {"branch main", "branch old", "tag v1"}},
    {"AnObjectOfTheWrongSize",
     Finding::object_size_mismatch,
     [](Victim& v) -> Task<> { co_await v.write(co_await v.object("bb"), "longer"); },
     {"branch main"}},
    {"AnObjectWithOtherContent",
     Finding::object_content_mismatch,
     [](Victim& v) -> Task<> { co_await v.write(co_await v.object("b"), "B"); },
     {"branch main", "branch old", "tag v1"}},
    {"AMissingStagedObject",
     Finding::object_missing,
     [](Victim& v) -> Task<> { co_await v.t.objects.remove(v.ctx, co_await v.object("staged")); },
     {"branch main"}},
    {"AFlippedByteInARange",
     Finding::range_corrupt,
     [](Victim& v) -> Task<> { co_await v.flip(co_await v.range("v1"), 10); },
     {"branch old", "tag v1"},
     {"branch main"}},
    {"ARangeWithTheContentOfAnother",
     Finding::range_id_mismatch,
     [](Victim& v) -> Task<> {
       co_await v.write(co_await v.range("main"), co_await v.read(co_await v.range("v1")));
     },
     {"branch main"}},
    {"AMissingRange",
     Finding::range_missing,
     [](Victim& v) -> Task<> { co_await v.t.objects.remove(v.ctx, co_await v.range("v1")); },
     {"branch old", "tag v1"},
     {"branch main"}},
    {"AFlippedByteInAMetarange",
     Finding::metarange_corrupt,
     [](Victim& v) -> Task<> { co_await v.flip(co_await v.metarange("v1"), 10); },
     {"branch old", "tag v1"},
     {"branch main"}},
    {"AMissingMetarange",
     Finding::metarange_missing,
     [](Victim& v) -> Task<> { co_await v.t.objects.remove(v.ctx, co_await v.metarange("main@")); },
     {"branch main"}},
    {"ACommitWithoutItsParent",
     Finding::commit_parent_missing,
     [](Victim& v) -> Task<> {
       const auto first = co_await v.commit("main~2");
       co_await v.t.kv.erase(v.ctx, v.partition(), keys::commit(first->id));
     },
     {"branch old", "tag v1"},
     {"branch main"}},
    {"ACommitWhoseContentHasAnotherId",
     Finding::commit_id_mismatch,
     [](Victim& v) -> Task<> {
       versioning::Commit changed = *co_await v.commit("main@");
       changed.message = "another";
       co_await v.t.kv.set(v.ctx, v.partition(), keys::commit(changed.id),
                           versioning::encode_commit(changed));
     },
     {"branch main"}},
    {"ACommitThatDoesNotParse",
     Finding::commit_unreadable,
     [](Victim& v) -> Task<> {
       const auto changed = co_await v.commit("main@");
       co_await v.t.kv.set(v.ctx, v.partition(), keys::commit(changed->id), "\xff\xff");
     },
     {"branch main"}},
    {"ADanglingSealedToken", Finding::sealed_token_dangling,
     [](Victim& v) -> Task<> {
       versioning::Branch changed = co_await v.branch("old");
       changed.sealed_tokens.push_back("repo-old:11111111-1111-1111-1111-111111111111");
       co_await v.put_branch(changed);
     }},
    {"ALeakedStagingToken", Finding::staging_token_leaked,
     [](Victim& v) -> Task<> { co_await v.t.kv.set(v.ctx, kLeaked, "x", "whatever"); }},
    {"ATokenTheCleanUpWouldErase",
     Finding::staging_token_condemned,
     [](Victim& v) -> Task<> {
       const auto main = co_await v.branch("main");
       co_await v.t.kv.set(v.ctx, keys::kCleanupPartition, main.staging_token, "stub-value");
     },
     {"branch main"}},
    {"ATokenOfTwoBranches", Finding::staging_token_shared,
     [](Victim& v) -> Task<> {
       versioning::Branch changed = co_await v.branch("old");
       changed.staging_token = (co_await v.branch("main")).staging_token;
       co_await v.put_branch(changed);
     }},
    {"ABranchToNowhere",
     Finding::branch_to_nowhere,
     [](Victim& v) -> Task<> {
       versioning::Branch changed = co_await v.branch("old");
       changed.commit_id = CommitId::from_stored(kNowhere);
       co_await v.put_branch(changed);
     },
     {"branch old"}},
    {"ABranchThatDoesNotParse", Finding::branch_unreadable,
     [](Victim& v) -> Task<> {
       co_await v.t.kv.set(v.ctx, v.partition(), "branches/old", "\xff\xff");
     }},
    {"AMissingDefaultBranch", Finding::default_branch_missing,
     [](Victim& v) -> Task<> {
       co_await v.t.engine.reset_branch(v.ctx, v.repo, v.t.main, {});
       co_await v.t.kv.erase(v.ctx, v.partition(), "branches/main");
     }},
    {"ATagToNowhere",
     Finding::tag_to_nowhere,
     [](Victim& v) -> Task<> {
       co_await v.t.kv.set(v.ctx, v.partition(), "tags/lost",
                           versioning::encode_tag({.id = TagId::from_stored("lost"),
                                                   .commit_id = CommitId::from_stored(kNowhere)}));
     },
     {"tag lost"}},
    {"AStagedEntryThatDoesNotParse",
     Finding::staged_entry_unreadable,
     [](Victim& v) -> Task<> {
       const auto main = co_await v.branch("main");
       co_await v.t.kv.set(v.ctx, main.staging_token, "odd", "\xff\xff");
     },
     {"branch main"}},
    {"AnUploadRecordWithoutUpload", Finding::upload_record_dangling,
     [](Victim& v) -> Task<> {
       const auto upload = co_await v.t.catalog.create_upload(v.ctx, v.repo, v.t.main, "big", {});
       co_await v.t.objects.abort_multipart(
           v.ctx,
           {.storage_namespace = v.repo.storage_namespace, .address = upload.physical_address},
           upload.id);
     }},
    {"ARepositoryThatDoesNotParse", Finding::repository_unreadable,
     [](Victim& v) -> Task<> {
       co_await v.t.kv.set(v.ctx, keys::kRepositoriesPartition, "repos/other", "\xff\xff");
     }},
};

Task<> plant_and_find(Context& ctx, const Planted& planted) {
  SCOPED_TRACE(planted.name);
  TestCatalog t;
  Victim victim{t, ctx, co_await fill(t, ctx)};
  co_await planted.plant(victim);
  const Checked checked = co_await check(t, ctx);
  EXPECT_EQ(checked.findings(), std::vector{planted.finding});
  EXPECT_EQ(checked.report.clean(), severity_of(planted.finding) == Severity::leftover);
  EXPECT_EQ(checked.report.damage + checked.report.leftovers, 1U);
  for (const Problem& problem : checked.problems) {
    EXPECT_EQ(problem.heads.kept, planted.heads);
    EXPECT_EQ(problem.history.kept, planted.history);
    EXPECT_FALSE(problem.where.empty());
    EXPECT_FALSE(problem.detail.empty());
  }
}

CO_TEST(Fsck, FindsEachPlantedFaultAndWhatItHits) {
  for (const Planted& planted : kPlanted)
    co_await plant_and_find(ctx, planted);
}

CO_TEST(Fsck, FindsNothingInAWholeStore) {
  TestCatalog t;
  const auto repo = co_await fill(t, ctx);
  co_await t.catalog.create_upload(ctx, repo, t.main, "big", {});
  const Checked checked = co_await check(t, ctx);
  EXPECT_EQ(checked.findings(), std::vector<Finding>{});
  EXPECT_TRUE(checked.report.clean());
  EXPECT_TRUE(checked.report.partitions_listed);
  EXPECT_EQ(checked.report.entries, 8U);
  EXPECT_EQ(checked.report.staged, 1U);
  EXPECT_EQ(checked.report.objects, 6U);
  EXPECT_EQ(checked.report.commits, 3U);
  EXPECT_EQ(checked.report.uploads, 1U);
}

CO_TEST(Fsck, NamesPathsAndCommitsOfADamagedObject) {
  TestCatalog t;
  Victim victim{t, ctx, co_await fill(t, ctx)};
  co_await t.objects.remove(ctx, co_await victim.object("c/d"));
  const Checked checked = co_await check(t, ctx);
  CO_ASSERT_TRUE(checked.problems.size() == 1);
  const Problem& problem = checked.problems.front();
  // Once in each of the two ranges that hold it.
  EXPECT_EQ(problem.paths.kept, (std::vector<std::string>{"c/d", "c/d"}));
  EXPECT_EQ(problem.commits.count, 2U);
  EXPECT_EQ(problem.repository, "repo");
}

CO_TEST(Fsck, RepairsWhatIsSafeAndLeavesTheRest) {
  for (const Planted& planted : kPlanted) {
    SCOPED_TRACE(planted.name);
    TestCatalog t;
    Victim victim{t, ctx, co_await fill(t, ctx)};
    co_await planted.plant(victim);
    const Checked before = co_await check(t, ctx);
    bool all = !before.problems.empty();
    for (const Problem& problem : before.problems) {
      const bool repairable = problem.repair_kind != RepairKind::none;
      EXPECT_EQ(repairable, !problem.repair_ops.empty());
      if (repairable) EXPECT_TRUE(co_await repair(ctx, t.kv, problem));
      all = all && repairable;
    }
    const Checked after = co_await check(t, ctx);
    EXPECT_EQ(after.problems.empty(), all);
    if (planted.finding == Finding::default_branch_missing) continue;
    EXPECT_TRUE(co_await t.catalog.find(ctx, victim.repo, "main$", "staged"));
  }
}

CO_TEST(Fsck, RepairGivesUpOnARecordThatHasChanged) {
  TestCatalog t;
  Victim victim{t, ctx, co_await fill(t, ctx)};
  versioning::Branch changed = co_await victim.branch("old");
  changed.sealed_tokens.push_back("repo-old:11111111-1111-1111-1111-111111111111");
  co_await victim.put_branch(changed);
  const Checked checked = co_await check(t, ctx);
  changed.hidden = true;
  co_await victim.put_branch(changed);
  EXPECT_FALSE(co_await repair(ctx, t.kv, checked.problems.front()));
}

CO_TEST(Fsck, DropsNoTokenWhileABranchCannotBeRead) {
  TestCatalog t;
  Victim victim{t, ctx, co_await fill(t, ctx)};
  co_await t.kv.set(ctx, victim.partition(), "branches/main", "\xff\xff");
  const Checked checked = co_await check(t, ctx);
  EXPECT_EQ(checked.findings(),
            (std::vector{Finding::branch_unreadable, Finding::staging_token_leaked}));
  EXPECT_EQ(checked.problems.back().repair_kind, RepairKind::none);
}

CO_TEST(Fsck, CountsWhatItDoesNotKeep) {
  TestCatalog t;
  Victim victim{t, ctx, co_await fill(t, ctx)};
  for (int i = 0; i < 1'500; ++i) {
    const auto id = TagId::from_stored(format("t{}", i));
    co_await t.kv.set(
        ctx, victim.partition(), keys::tag(id),
        versioning::encode_tag({.id = id, .commit_id = CommitId::from_stored(kNowhere)}));
  }
  const Checked checked = co_await check(t, ctx);
  EXPECT_EQ(checked.problems.size(), kProblemsKept);
  EXPECT_EQ(checked.report.damage, 1'500U);
}

CO_TEST(Fsck, PointsABranchAtTheCommitItIsTold) {
  TestCatalog t;
  Victim victim{t, ctx, co_await fill(t, ctx)};
  const std::string second = (co_await victim.commit("main@"))->id.str();
  versioning::Branch lost = co_await victim.branch("main");
  lost.commit_id = CommitId::from_stored(kNowhere);
  co_await victim.put_branch(lost);
  co_await point_branch(ctx, t.kv, "repo", "main", second);
  EXPECT_EQ((co_await check(t, ctx)).findings(), std::vector<Finding>{});
  EXPECT_TRUE(co_await t.catalog.find(ctx, victim.repo, "main", "staged"));
  CO_EXPECT_ERROR(point_branch(ctx, t.kv, "repo", "main", kNowhere), ErrorCode::commit_not_found);
  CO_EXPECT_ERROR(point_branch(ctx, t.kv, "none", "main", second), ErrorCode::repository_not_found);
}

TEST(CommitGraph, TellsDescendantsOfADamagedCommit) {
  const auto id = [](char c) { return CommitId::from_stored(std::string(64, c)); };
  CommitGraph graph;
  graph.add(id('1').str(), {});
  graph.add(id('2').str(), {id('1')});
  graph.add(id('3').str(), {id('1')});
  graph.add(id('4').str(), {id('2'), id('3')});
  graph.add(id('5').str(), {id('f')});
  const auto missing = graph.link(10);
  ASSERT_EQ(missing.size(), 1U);
  EXPECT_EQ(graph.name(missing[0].child), short_name(id('5').str()));
  graph.reach(*graph.find(id('4').str()));
  EXPECT_TRUE(graph.reached(*graph.find(id('1').str())));
  EXPECT_FALSE(graph.reached(*graph.find(id('5').str())));
  graph.hit(*graph.find(id('2').str()), 4);
  graph.spread();
  EXPECT_EQ(graph.hits(*graph.find(id('4').str())), 0U);
  EXPECT_EQ(graph.hits_in_history(*graph.find(id('4').str())), 4U);
  EXPECT_EQ(graph.hits_in_history(*graph.find(id('3').str())), 0U);
}

TEST(NameSet, KeepsEveryNameOnce) {
  NameSet names;
  for (std::uint64_t i = 0; i < 10'000; ++i)
    EXPECT_TRUE(names.insert(i * 0x100000000ULL)) << i;
  for (std::uint64_t i = 0; i < 10'000; ++i)
    EXPECT_FALSE(names.insert(i * 0x100000000ULL)) << i;
}

}  // namespace
}  // namespace tarn::catalog
