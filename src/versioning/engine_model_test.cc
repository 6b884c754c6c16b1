// Random operations on the engine and on a map per commit. TARN_MODEL_OPS sets how many in all,
// TARN_MODEL_SEED where the seeds start.
#include <atomic>
#include <cstdlib>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "base/format.h"
#include "io/loops.h"
#include "kv/postgres/blocking_session.h"
#include "kv/postgres/postgres_store.h"
#include "kv/rocks/rocks_store.h"
#include "testing/co_test.h"
#include "testing/postgres_cluster.h"
#include "testing/temp_dir.h"
#include "versioning/model_driver_test_support.h"

namespace tarn::versioning::model {
namespace {

constexpr std::size_t kEpisodeOps = 400;  // one repository's life

std::size_t number_from(const char* variable, std::size_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

enum class Store : std::uint8_t { mem, rocks, postgres };

struct Setting {
  std::string_view name;
  Store store = Store::mem;
  CommittedConfig committed;
  double share = 0;  // of all operations
};

void PrintTo(const Setting& setting, std::ostream* out) {
  *out << setting.name;
}

Task<std::optional<Failure>> run_in_memory(Context& ctx, CommittedConfig config,
                                           std::vector<Op> ops, Bug bug) {
  TestStores stores;
  EngineOn server(stores.kv, stores.objects, std::move(config));
  auto failure = co_await run_ops(ctx, server, "repo", std::move(ops), bug);
  co_await server.committed.close();
  co_return failure;
}

Task<std::optional<Failure>> run_on_rocks(Context& ctx, CommittedConfig config, std::vector<Op> ops,
                                          Bug bug) {
  const tarn::testing::TempDir directory;
  io::BlockingPool pool({.name = "rocks", .threads = 1});
  block::MemObjectStore objects;
  const auto kv = kv::RocksStore::open({.directory = directory.file("kv"), .sync = false}, pool);
  std::optional<Failure> failure;
  {
    EngineOn server(*kv, objects, std::move(config));
    failure = co_await run_ops(ctx, server, "repo", std::move(ops), bug);
    co_await server.committed.close();
  }
  co_await kv->close();
  co_return failure;
}

/// SQL of a superuser.
void in_postgres(const std::string& sql) {
  const kv::PostgresConfig config{.connection_string =
                                      tarn::testing::PostgresCluster::shared().connection_string()};
  const std::atomic<bool> stop = false;
  kv::BlockingSession(config, stop).execute(sql);
}

/// In a database of its own.
Task<std::optional<Failure>> run_on_postgres(Context& ctx, CommittedConfig config,
                                             std::vector<Op> ops, Bug bug) {
  static std::atomic<int> databases = 0;
  const std::string name = format("model_{}", ++databases);
  in_postgres("CREATE DATABASE " + name);
  io::Loops loops(1);
  io::BlockingPool pool({.name = "postgres", .threads = 2});
  block::MemObjectStore objects;
  const auto kv = kv::PostgresStore::open(
      {.connection_string = tarn::testing::PostgresCluster::shared().connection_string(name),
       .connections_max = 4},
      loops, pool);
  std::optional<Failure> failure;
  {
    EngineOn server(*kv, objects, std::move(config));
    failure = co_await run_ops(ctx, server, "repo", std::move(ops), bug);
    co_await server.engine.stop();
    co_await server.committed.close();
  }
  co_await kv->close();
  in_postgres("DROP DATABASE " + name + " WITH (FORCE)");
  co_return failure;
}

std::optional<Failure> run_episode(const Setting& setting, const std::vector<Op>& ops,
                                   Bug bug = Bug::none) {
  return tarn::testing::run_co([&](Context& ctx) {
    switch (setting.store) {
      case Store::mem: return run_in_memory(ctx, setting.committed, ops, bug);
      case Store::rocks: return run_on_rocks(ctx, setting.committed, ops, bug);
      case Store::postgres: return run_on_postgres(ctx, setting.committed, ops, bug);
    }
    std::unreachable();
  });
}

/// The shortest list found that still fails.
std::vector<Op> shrink_failing(const Setting& setting, std::vector<Op> ops, const Failure& failure,
                               Bug bug = Bug::none) {
  if (failure.at + 1 < ops.size()) ops.resize(failure.at + 1);
  return shrink(std::move(ops), [&](const std::vector<Op>& fewer) {
    return run_episode(setting, fewer, bug).has_value();
  });
}

class EngineModel : public ::testing::TestWithParam<Setting> {};

TEST_P(EngineModel, AgreesWithAMapPerCommit) {
  if (GetParam().store == Store::postgres) TARN_SKIP_WITHOUT_POSTGRES();
  const auto ops_max = static_cast<std::size_t>(
      static_cast<double>(number_from("TARN_MODEL_OPS", 20'000)) * GetParam().share);
  const std::size_t first_seed = number_from("TARN_MODEL_SEED", 1);
  for (std::size_t done = 0; done < ops_max; done += kEpisodeOps) {
    const std::size_t seed = first_seed + done / kEpisodeOps;
    const std::vector<Op> ops = random_ops(seed, kEpisodeOps);
    const auto failure = run_episode(GetParam(), ops);
    if (!failure) continue;
    const std::vector<Op> small = shrink_failing(GetParam(), ops, *failure);
    const auto again = run_episode(GetParam(), small);
    FAIL() << "seed " << seed << ", operation " << failure->at << ": " << failure->text
           << "\nshrunk to " << small.size() << " operations:\n"
           << to_text(small) << (again ? again->text : "(which do not fail again)");
  }
}

INSTANTIATE_TEST_SUITE_P(Stores, EngineModel,
                         ::testing::Values(Setting{.name = "MemSmallRanges",
                                                   .committed = {.range_raggedness_entries = 4},
                                                   .share = 0.4},
                                           Setting{.name = "MemRangesCutBySize",
                                                   .committed = {.range_bytes_max = 300,
                                                                 .range_raggedness_entries = 1'000},
                                                   .share = 0.2},
                                           Setting{.name = "MemRangesOfASizeAtLeast",
                                                   .committed = {.range_bytes_min = 150,
                                                                 .range_bytes_max = 600,
                                                                 .range_raggedness_entries = 3},
                                                   .share = 0.2},
                                           Setting{.name = "RocksSmallRanges",
                                                   .store = Store::rocks,
                                                   .committed = {.range_raggedness_entries = 4},
                                                   .share = 0.2},
                                           Setting{.name = "PostgresSmallRanges",
                                                   .store = Store::postgres,
                                                   .committed = {.range_raggedness_entries = 4},
                                                   .share = 0.02}),
                         [](const auto& setting) { return std::string(setting.param.name); });

TEST(EngineModelShrinker, FindsAPlantedBugAndMakesItSmall) {
  const Setting setting{.name = "mem", .committed = {.range_raggedness_entries = 4}};
  std::optional<Failure> failure;
  std::vector<Op> ops;
  for (std::uint64_t seed = 1; !failure && seed < 50; ++seed) {
    ops = random_ops(seed, kEpisodeOps / 4);
    failure = run_episode(setting, ops, Bug::revert_forgets_removed_keys);
  }
  ASSERT_TRUE(failure.has_value());
  const std::vector<Op> small =
      shrink_failing(setting, ops, *failure, Bug::revert_forgets_removed_keys);
  // At most: a value, a commit, a removal, a commit, a revert, and a branch or two to do it on.
  EXPECT_LE(small.size(), 8U) << to_text(small);
  EXPECT_TRUE(run_episode(setting, small, Bug::revert_forgets_removed_keys).has_value());
  EXPECT_FALSE(run_episode(setting, small).has_value());
  for (std::size_t i = 0; i < small.size(); ++i) {
    std::vector<Op> fewer = small;
    fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_FALSE(run_episode(setting, fewer, Bug::revert_forgets_removed_keys).has_value());
  }
}

TEST(EngineModelShrinker, KeepsWhatOnlyFailsTogether) {
  std::vector<int> items(100);
  for (int i = 0; i < 100; ++i)
    items[static_cast<std::size_t>(i)] = i;
  const auto fails = [](const std::vector<int>& some) {
    return std::ranges::count(some, 7) + std::ranges::count(some, 93) == 2;
  };
  EXPECT_EQ(shrink(items, fails), (std::vector<int>{7, 93}));
}

// --- relations that hold whatever the content is ---

BranchId named(std::string name) {
  return BranchId::from_stored(std::move(name));
}

Task<> fill(Context& ctx, EngineOn& t, const Repository& repo, const BranchId& branch, int from,
            int to, std::string text) {
  for (int i = from; i < to; ++i)
    co_await t.put(ctx, repo, branch, format("k{}", i), format("{}#{}", text, i));
}

CO_TEST(EngineRelations, SameChangesMakeTheSameTree) {
  TestEngine t;
  const Repository one = co_await t.repository(ctx, "one");
  const Repository two = co_await t.repository(ctx, "two");
  for (const Repository& repo : {one, two}) {
    co_await fill(ctx, t, repo, t.main, 100, 160, "a");
    co_await t.commit(ctx, repo, t.main);
    co_await fill(ctx, t, repo, t.main, 120, 125, "b");
    co_await t.engine.remove(ctx, repo, t.main, {"k130", "k131"}, {});
    co_await t.commit(ctx, repo, t.main);
  }
  const auto first = co_await t.engine.resolve_commit(ctx, one, "main");
  const auto second = co_await t.engine.resolve_commit(ctx, two, "main");
  EXPECT_EQ(first->meta_range_id, second->meta_range_id);
}

CO_TEST(EngineRelations, MergesOfDisjointChangesCommute) {
  TestEngine t;
  const Repository repo = co_await t.repository(ctx);
  co_await fill(ctx, t, repo, t.main, 100, 160, "base");
  co_await t.commit(ctx, repo, t.main);
  for (const char* name : {"a", "b", "ab", "ba"})
    co_await t.engine.create_branch(ctx, repo, named(name), "main", false, false);
  co_await fill(ctx, t, repo, named("a"), 110, 120, "a");
  co_await t.engine.remove(ctx, repo, named("a"), {"k150"}, {});
  co_await t.commit(ctx, repo, named("a"));
  co_await fill(ctx, t, repo, named("b"), 155, 170, "b");
  co_await t.engine.remove(ctx, repo, named("b"), {"k101"}, {});
  co_await t.commit(ctx, repo, named("b"));
  for (const char* source : {"a", "b"})
    co_await t.engine.merge(ctx, repo, named("ab"), source, {.committer = "c"});
  for (const char* source : {"b", "a"})
    co_await t.engine.merge(ctx, repo, named("ba"), source, {.committer = "c"});
  EXPECT_EQ(co_await t.list(ctx, repo, "ab"), co_await t.list(ctx, repo, "ba"));
  EXPECT_EQ((co_await t.list(ctx, repo, "ab")).size(), 68U);
}

CO_TEST(EngineRelations, ARevertBringsBackTheListing) {
  TestEngine t;
  const Repository repo = co_await t.repository(ctx);
  co_await fill(ctx, t, repo, t.main, 100, 160, "base");
  co_await t.commit(ctx, repo, t.main);
  const auto before = co_await t.list(ctx, repo, "main");
  co_await fill(ctx, t, repo, t.main, 90, 110, "new");
  co_await t.engine.remove(ctx, repo, t.main, {"k130", "k159"}, {});
  co_await t.commit(ctx, repo, t.main);
  EXPECT_NE(co_await t.list(ctx, repo, "main"), before);
  co_await t.engine.revert(ctx, repo, t.main, "main", {.committer = "c"});
  EXPECT_EQ(co_await t.list(ctx, repo, "main"), before);
}

}  // namespace
}  // namespace tarn::versioning::model
