#include "kv/postgres/postgres_store.h"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/format.h"
#include "base/metrics.h"
#include "io/blocking_pool.h"
#include "io/sync.h"
#include "kv/postgres/blocking_session.h"
#include "kv/postgres/statements.h"
#include "kv/testing/store_suite.h"
#include "testing/postgres_cluster.h"

namespace tarn::kv::testing {
namespace {

using tarn::testing::PostgresCluster;

PostgresConfig config_for(std::string connection_string, std::size_t connections = 25) {
  PostgresConfig config{.connection_string = std::move(connection_string)};
  config.connections_max = connections;
  return config;
}

/// A database, emptied: the shared cluster's first, if none is named.
class PostgresHarness final : public StoreHarness {
 public:
  explicit PostgresHarness(std::size_t connections)
      : PostgresHarness(PostgresCluster::shared().connection_string(), connections) {}

  explicit PostgresHarness(std::string connection_string, std::size_t connections = 25) {
    const auto config = config_for(std::move(connection_string), connections);
    store_ = PostgresStore::open(config, loops_, pool_);
    const std::atomic<bool> stop = false;
    BlockingSession(config, stop).execute("DELETE FROM kv");
  }

  Store& store() override { return *store_; }

 private:
  io::Loops loops_{2};
  io::BlockingPool pool_{{.name = "metadata"}};
  std::unique_ptr<PostgresStore> store_;
};

std::unique_ptr<StoreHarness> make_harness() {
  return std::make_unique<PostgresHarness>(25);
}

std::unique_ptr<StoreHarness> make_narrow_harness() {
  return std::make_unique<PostgresHarness>(1);
}

/// Where every statement is sent with its text, as through a pooler in transaction mode.
std::unique_ptr<StoreHarness> make_unprepared_harness() {
  const auto& cluster = PostgresCluster::shared();
  return std::make_unique<PostgresHarness>(
      format("postgres://tarn@/postgres?host={}&port={}&default_query_exec_mode=exec",
             percent_encode(cluster.socket_directory()), cluster.port()));
}

/// A database, a pooler or an engine that is there already.
const char* given_database() {
  return std::getenv("TARN_TEST_POSTGRES");
}

std::unique_ptr<StoreHarness> make_given_harness() {
  return std::make_unique<PostgresHarness>(given_database());
}

std::vector<MakeHarness> given_harnesses() {
  if (given_database() != nullptr) return {&make_given_harness};
  return {};
}

std::vector<MakeHarness> harnesses(MakeHarness make) {
  if (tarn::testing::have_postgres()) return {make};
  return {};
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(StoreSuite);
INSTANTIATE_TEST_SUITE_P(Postgres, StoreSuite, ::testing::ValuesIn(harnesses(&make_harness)));
INSTANTIATE_TEST_SUITE_P(PostgresUnprepared, StoreSuite,
                         ::testing::ValuesIn(harnesses(&make_unprepared_harness)));
INSTANTIATE_TEST_SUITE_P(PostgresGiven, StoreSuite, ::testing::ValuesIn(given_harnesses()));
INSTANTIATE_TEST_SUITE_P(PostgresOverOneConnection, StoreSuite,
                         ::testing::ValuesIn(harnesses(&make_narrow_harness)));

class PostgresStoreTest : public ::testing::Test {
 public:
  void SetUp() override {
    TARN_SKIP_WITHOUT_POSTGRES();
    store = open();
    execute("DELETE FROM kv");
  }

  std::unique_ptr<PostgresStore> open(std::size_t connections = 25) {
    return PostgresStore::open(
        config_for(PostgresCluster::shared().connection_string(), connections), loops, pool);
  }

  static void execute(const std::string& sql) {
    const auto config = config_for(PostgresCluster::shared().connection_string());
    const std::atomic<bool> stop = false;
    BlockingSession(config, stop).execute(sql);
  }

  static std::uint64_t round_trips() {
    return metrics::counter("tarn_kv_postgres_round_trips_total", "").value();
  }

  io::Loops loops{2};
  io::BlockingPool pool{{.name = "metadata"}};
  std::unique_ptr<PostgresStore> store;
};

/// Runs `task` on a loop of the store, where what it starts in one turn shares a round trip.
Task<> on_loop(PostgresStoreTest& test, Task<> task) {
  io::TaskGroup group;
  group.spawn(test.loops.executor(0), "test", std::move(task));
  co_await group.join();
}

Task<> stage(Store& store, int number) {
  Context ctx;
  std::vector<Op> ops;
  ops.push_back(Op::get("repo", "branch"));
  ops.push_back(Op::set("token", std::to_string(number), "entry"));
  ops.push_back(Op::get("repo", "branch"));
  const auto results = co_await store.run(ctx, std::move(ops));
  EXPECT_EQ(results[0].found, "head");
  EXPECT_EQ(results[2].found, "head");
}

Task<> get_one(Store& store, std::string key, std::optional<std::string> expected) {
  Context ctx;
  EXPECT_EQ(co_await store.get(ctx, "repo", key), expected);
}

Task<> start_together(PostgresStoreTest* test, std::function<Task<>(int)> make, int count) {
  io::TaskGroup group;
  for (int i = 0; i < count; ++i)
    group.spawn(test->loops.executor(0), "one", make(i));
  co_await group.join();
}

CO_TEST_F(PostgresStoreTest, StagingIsOneRoundTrip) {
  co_await self.store->set(ctx, "repo", "branch", "head");
  const auto before = PostgresStoreTest::round_trips();
  co_await stage(*self.store, 1);
  EXPECT_EQ(PostgresStoreTest::round_trips() - before, 1u);
}

CO_TEST_F(PostgresStoreTest, ConcurrentGetsShareRoundTrips) {
  co_await self.store->set(ctx, "repo", "k1", "v1");
  const auto before = PostgresStoreTest::round_trips();
  Store& store = *self.store;
  co_await on_loop(self, start_together(
                             &self,
                             [&store](int i) {
                               const bool there = i % 2 == 1;
                               return get_one(
                                   store, there ? "k1" : format("none{}", i),
                                   there ? std::optional<std::string>("v1") : std::nullopt);
                             },
                             200));
  EXPECT_LE(PostgresStoreTest::round_trips() - before, 10u);
}

CO_TEST_F(PostgresStoreTest, ConcurrentRunsShareRoundTrips) {
  co_await self.store->set(ctx, "repo", "branch", "head");
  const auto before = PostgresStoreTest::round_trips();
  Store& store = *self.store;
  co_await on_loop(self, start_together(&self, [&store](int i) { return stage(store, i); }, 200));
  EXPECT_LE(PostgresStoreTest::round_trips() - before, 10u);
  EXPECT_EQ((co_await read_all(ctx, store, "token")).size(), 200u);
}

CO_TEST_F(PostgresStoreTest, AnotherStoreSeesWhatIsAcknowledged) {
  auto other = self.open();
  co_await self.store->set(ctx, "p", "k", "v");
  EXPECT_EQ(co_await other->get(ctx, "p", "k"), "v");
  EXPECT_EQ(co_await other->set_if(ctx, "p", "k", "w", Expect::value("v")), SetIf::stored);
  EXPECT_EQ(co_await self.store->set_if(ctx, "p", "k", "x", Expect::value("v")), SetIf::lost);
  co_await other->close();
}

CO_TEST_F(PostgresStoreTest, WritesOfTwoStoresInOppositeOrderDoNotBlockEachOther) {
  auto other = self.open();
  io::TaskGroup group;
  const auto writer = [](Store& store, bool forward) -> Task<> {
    Context limited;
    for (int round = 0; round < 30; ++round) {
      std::vector<Op> ops;
      for (int i = 0; i < 20; ++i)
        ops.push_back(Op::set("p", std::to_string(forward ? i : 19 - i), "v"));
      co_await store.run(limited, std::move(ops));
    }
  };
  const auto started = Context::SteadyClock::now();
  group.spawn(self.loops.any(), "forward", writer(*self.store, true));
  group.spawn(self.loops.any(), "backward", writer(*other, false));
  co_await group.join();
  // A deadlock would be noticed after a second each.
  EXPECT_LT(Context::SteadyClock::now() - started, std::chrono::seconds(10));
  co_await other->close();
}

CO_TEST_F(PostgresStoreTest, PagesOfLargeValuesAreCutByBytes) {
  for (int i = 0; i < 12; ++i)
    co_await self.store->set(ctx, "p", format("{:02}", i), std::string(400 * 1'024, 'v'));
  auto cursor = self.store->scan("p", {.page_keys = 1'000});
  EXPECT_TRUE(co_await cursor->fill(ctx));
  int in_page = 1;
  while (cursor->next())
    ++in_page;
  EXPECT_LE(in_page, 3);
  Rows rest;
  co_await read_on(ctx, *cursor, rest);
  EXPECT_EQ(rest.size() + static_cast<std::size_t>(in_page), 12u);
}

/// The steps of the plan of `page` for a partition, of the n-th time that a session runs it: at
/// first they are made for its parameters, later perhaps for all.
std::vector<std::string> page_plan(BlockingSession& session) {
  const PgResult rows =
      session.execute("EXPLAIN (COSTS OFF) EXECUTE page ('token', 'key/1', 1000, 4194304)");
  std::vector<std::string> steps;
  for (int row = 0; row < PQntuples(rows.get()); ++row)
    steps.emplace_back(PQgetvalue(rows.get(), row, 0));
  return steps;
}

TEST_F(PostgresStoreTest, PagesOfATokenJustFilledFollowTheIndex) {
  const auto config = config_for(PostgresCluster::shared().connection_string());
  const std::atomic<bool> stop = false;
  BlockingSession session(config, stop);
  // Not committed, so that nobody analyses it meanwhile.
  session.execute("BEGIN");
  session.execute(
      "INSERT INTO kv SELECT 'token', convert_to('key/' || i, 'utf8'), repeat('v', 40)::bytea "
      "FROM generate_series(1, 20000) AS i");
  session.execute(std::string("PREPARE page (bytea, bytea, int8, int8) AS ") +
                  prepared(Statement::page).sql);
  for (int time = 0; time < 8; ++time) {
    const std::vector<std::string> steps = page_plan(session);
    EXPECT_TRUE(std::ranges::none_of(steps, [](const std::string& step) {
      return step.ends_with("Sort") || step.contains("Bitmap");
    })) << ::testing::PrintToString(steps);
    EXPECT_TRUE(std::ranges::any_of(steps, [](const std::string& step) {
      return step.contains("Index Scan using");
    })) << ::testing::PrintToString(steps);
  }
  session.execute("ROLLBACK");
}

CO_TEST_F(PostgresStoreTest, LargestValueComesBack) {
  const std::string value(kValueBytesMax, 'x');
  co_await self.store->set(ctx, "p", "k", value);
  EXPECT_TRUE(co_await self.store->get(ctx, "p", "k") == value);
}

CO_TEST_F(PostgresStoreTest, DeadlineEndsAWaitForALockAndTheStatement) {
  co_await self.store->set(ctx, "p", "k", "v");
  const std::atomic<bool> stop = false;
  const auto config = config_for(PostgresCluster::shared().connection_string());
  BlockingSession blocker(config, stop);
  blocker.execute("BEGIN");
  blocker.execute("SELECT * FROM kv FOR UPDATE");
  Context limited = ctx.within(std::chrono::milliseconds(300));
  const auto started = Context::SteadyClock::now();
  CO_EXPECT_ERROR(self.store->set(limited, "p", "k", "w"), ErrorCode::deadline_exceeded);
  EXPECT_LT(Context::SteadyClock::now() - started, std::chrono::seconds(2));
  // The server was told, so the lock's end does not let the write through after all.
  BlockingSession watcher(config, stop);
  for (int i = 0; i < 200; ++i) {
    if (watcher.value_of("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'") ==
        "0") {
      break;
    }
    co_await io::sleep(std::chrono::milliseconds(10));
  }
  blocker.execute("COMMIT");
  EXPECT_EQ(co_await self.store->get(ctx, "p", "k"), "v");
}

CO_TEST_F(PostgresStoreTest, DeadlockOfOthersMakingIsTriedAgain) {
  // A transaction of somebody else that locks in the opposite order.
  co_await set_keys(ctx, *self.store, "p", {"a", "b"});
  const std::atomic<bool> stop = false;
  const auto config = config_for(PostgresCluster::shared().connection_string());
  BlockingSession other(config, stop);
  other.execute("SET deadlock_timeout = '10s'");  // so that the store's side is the victim
  other.execute("BEGIN");
  other.execute("UPDATE kv SET value = 'x' WHERE key = 'b'");
  io::TaskGroup group;
  const auto write = [](Store& store) -> Task<> {
    Context c;
    std::vector<Op> ops;
    ops.push_back(Op::set("p", "a", "1"));
    ops.push_back(Op::set("p", "b", "2"));
    co_await store.run(c, std::move(ops));
  };
  group.spawn(self.loops.any(), "write", write(*self.store));
  for (int i = 0; i < 500; ++i) {
    if (BlockingSession(config, stop)
            .value_of("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'") ==
        "1") {
      break;
    }
    co_await io::sleep(std::chrono::milliseconds(10));
  }
  other.execute("UPDATE kv SET value = 'x' WHERE key = 'a'");
  other.execute("COMMIT");
  co_await group.join();
  EXPECT_EQ(co_await self.store->get(ctx, "p", "a"), "1");
  EXPECT_EQ(co_await self.store->get(ctx, "p", "b"), "2");
}

}  // namespace
}  // namespace tarn::kv::testing
