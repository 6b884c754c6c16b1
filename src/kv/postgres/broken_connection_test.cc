// Connections that end at the worst moment, and servers that come back.
#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/format.h"
#include "io/blocking_pool.h"
#include "io/loops.h"
#include "io/sync.h"
#include "io/task_group.h"
#include "kv/postgres/blocking_session.h"
#include "kv/postgres/postgres_store.h"
#include "testing/co_test.h"
#include "testing/cutting_proxy.h"
#include "testing/postgres_cluster.h"
#include "testing/postgres_trouble.h"

namespace tarn::kv {
namespace {

using tarn::testing::PostgresCluster;

/// Cuts a connection after so many bytes of either way, counted since the last arm().
class DroppingProxy {
 public:
  explicit DroppingProxy(std::string target)
      : proxy_(std::move(target), [this] { return std::make_unique<Rule>(*this); }) {}

  std::string connection_string() const {
    return "host=" + proxy_.directory() + " port=5432 user=tarn dbname=postgres";
  }

  /// The connection that passes the n-th byte from now on, requests or answers, is cut there.
  void arm(std::int64_t request_bytes, std::int64_t answer_bytes) {
    requests_left_ = request_bytes;
    answers_left_ = answer_bytes;
  }

  void disarm() { arm(kNever, kNever); }

 private:
  static constexpr std::int64_t kNever = 1LL << 60;

  class Rule final : public tarn::testing::StreamRule {
   public:
    explicit Rule(DroppingProxy& owner) : owner_(owner) {}

    Verdict on_request(std::string_view bytes) override {
      return count(bytes.size(), owner_.requests_left_);
    }

    Verdict on_answer(std::string_view bytes) override {
      return count(bytes.size(), owner_.answers_left_);
    }

   private:
    static Verdict count(std::size_t bytes, std::atomic<std::int64_t>& left) {
      const auto size = static_cast<std::int64_t>(bytes);
      const std::int64_t pass = std::clamp<std::int64_t>(left.fetch_sub(size), 0, size);
      return {.pass = static_cast<std::size_t>(pass), .cut = pass < size};
    }

    DroppingProxy& owner_;
  };

  std::atomic<std::int64_t> requests_left_ = kNever;
  std::atomic<std::int64_t> answers_left_ = kNever;
  tarn::testing::CuttingProxy proxy_;
};

class BrokenConnection : public ::testing::Test {
 public:
  void SetUp() override {
    TARN_SKIP_WITHOUT_POSTGRES();
    config.connection_string = PostgresCluster::shared().connection_string();
    config.connections_max = 4;
  }

  void open() {
    store = PostgresStore::open(config, loops, pool);
    admin("DELETE FROM kv");
  }

  static std::string admin(const std::string& sql) {
    const PostgresConfig direct{.connection_string = PostgresCluster::shared().connection_string()};
    const std::atomic<bool> stop = false;
    return BlockingSession(direct, stop).value_of(sql);
  }

  static void terminate_all() {
    admin(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = "
        "'tarn' AND pid <> pg_backend_pid()");
  }

  PostgresConfig config;
  io::Loops loops{2};
  io::BlockingPool pool{{.name = "metadata"}};
  std::unique_ptr<PostgresStore> store;
};

CO_TEST_F(BrokenConnection, TerminatedIdleBackendsAreReplacedUnnoticed) {
  self.open();
  co_await self.store->set(ctx, "p", "k", "v");
  for (int round = 0; round < 5; ++round) {
    BrokenConnection::terminate_all();
    EXPECT_EQ(co_await self.store->get(ctx, "p", "k"), "v");
  }
}

Task<> keep_reading(Store& store, const std::atomic<bool>& stop) {
  Context ctx;
  while (!stop)
    EXPECT_EQ(co_await store.get(ctx, "p", "k"), "v");
}

CO_TEST_F(BrokenConnection, ReadersDoNotNoticeTerminatedBackends) {
  self.open();
  co_await self.store->set(ctx, "p", "k", "v");
  std::atomic<bool> stop = false;
  io::TaskGroup group;
  for (int i = 0; i < 8; ++i)
    group.spawn(self.loops.any(), "read", keep_reading(*self.store, stop));
  for (int round = 0; round < 10; ++round) {
    BrokenConnection::terminate_all();
    co_await io::sleep(std::chrono::milliseconds(20));
  }
  stop = true;
  co_await group.join();
}

/// Counts in a record; every acknowledged step must be in it, and none twice.
Task<> count_up(Store& store, std::string key, const std::atomic<bool>& stop, int& acknowledged,
                int& doubtful) {
  Context ctx;
  int next = 0;
  while (!stop) {
    try {
      std::vector<Op> ops;
      ops.push_back(Op::set("p", key + "/newest", std::to_string(next)));
      ops.push_back(Op::set_if("p", format("{}/{:06}", key, next), "v", Expect::absent()));
      ops.push_back(Op::get("p", key + "/newest"));
      const auto results = co_await store.run(ctx, std::move(ops));
      EXPECT_TRUE(results[1].stored) << key << " " << next << " happened twice";
      EXPECT_EQ(results[2].found, std::to_string(next));
      ++acknowledged;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::unavailable) << error.message();
      ++doubtful;
    }
    ++next;
  }
}

CO_TEST_F(BrokenConnection, WritesAreAcknowledgedOnceOrInDoubt) {
  self.open();
  std::atomic<bool> stop = false;
  io::TaskGroup group;
  int acknowledged[6] = {};
  int doubtful[6] = {};
  for (int i = 0; i < 6; ++i) {
    group.spawn(self.loops.any(), "count up",
                count_up(*self.store, std::to_string(i), stop, acknowledged[i], doubtful[i]));
  }
  for (int round = 0; round < 15; ++round) {
    BrokenConnection::terminate_all();
    co_await io::sleep(std::chrono::milliseconds(15));
  }
  stop = true;
  co_await group.join();
  for (int i = 0; i < 6; ++i) {
    const int stored = std::stoi(BrokenConnection::admin(
        format("SELECT count(*) FROM kv WHERE encode(key, 'escape') ~ '^{}/[0-9]+$'", i)));
    EXPECT_GE(stored, acknowledged[i]);
    EXPECT_LE(stored, acknowledged[i] + doubtful[i]);
    EXPECT_GT(acknowledged[i], 0);
  }
}

CO_TEST_F(BrokenConnection, CutAnywhereInAWriteLosesNothingAcknowledged) {
  DroppingProxy proxy(PostgresCluster::shared().socket_path());
  self.config.connection_string = proxy.connection_string();
  self.config.connections_max = 1;
  self.open();
  int in_doubt = 0;
  for (int bytes = 0; bytes < 260; bytes += 13) {
    for (const bool request : {true, false}) {
      const std::string key = format("{}-{}", bytes, request);
      proxy.disarm();
      co_await self.store->set(ctx, "p", key, "old");  // and the connection stands again
      proxy.arm(request ? bytes : 1LL << 60, request ? 1LL << 60 : bytes);
      bool acknowledged = false;
      try {
        const SetIf outcome =
            co_await self.store->set_if(ctx, "p", key, "new", Expect::value("old"));
        acknowledged = true;
        EXPECT_EQ(outcome, SetIf::stored);
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::unavailable) << error.message();
        ++in_doubt;
      }
      proxy.disarm();
      const auto stored = co_await self.store->get(ctx, "p", key);
      EXPECT_TRUE(stored == "new" || (!acknowledged && stored == "old"));
    }
  }
  EXPECT_GT(in_doubt, 5);
  co_await self.store->close();
}

CO_TEST_F(BrokenConnection, WhatHappenedIsKnownWhereARoundTripIsCut) {
  using tarn::testing::PostgresTrouble;
  PostgresTrouble trouble(PostgresCluster::shared());
  self.config.connection_string = trouble.connection_string();
  self.config.connections_max = 1;
  self.open();
  for (const auto fault : {PostgresTrouble::Fault::before, PostgresTrouble::Fault::after,
                           PostgresTrouble::Fault::torn}) {
    co_await self.store->set(ctx, "p", "k", "old");
    trouble.fail_nth(1, fault);
    CO_EXPECT_ERROR(self.store->set(ctx, "p", "k", "new"), ErrorCode::unavailable);
    EXPECT_TRUE(trouble.struck());
    EXPECT_EQ(co_await self.store->get(ctx, "p", "k"),
              fault == PostgresTrouble::Fault::before ? "old" : "new");
  }
  trouble.fail_from(2, PostgresTrouble::Fault::before);
  EXPECT_EQ(co_await self.store->get(ctx, "p", "k"), "new");
  CO_EXPECT_ERROR(self.store->set(ctx, "p", "k", "newer"), ErrorCode::unavailable);
  trouble.heal();
  EXPECT_EQ(co_await self.store->get(ctx, "p", "k"), "new");
  co_await self.store->close();
  while (trouble.connections() > 0)
    co_await io::sleep(std::chrono::milliseconds(1));
}

CO_TEST_F(BrokenConnection, ReadsSurviveEveryCut) {
  DroppingProxy proxy(PostgresCluster::shared().socket_path());
  self.config.connection_string = proxy.connection_string();
  self.config.connections_max = 1;
  self.open();
  co_await self.store->set(ctx, "p", "k", "v");
  for (int bytes = 0; bytes < 120; bytes += 7) {
    proxy.arm(1LL << 60, bytes);
    io::TaskGroup healing;
    const auto heal = [](DroppingProxy& p) -> Task<> {
      co_await io::sleep(std::chrono::milliseconds(5));
      p.disarm();
    };
    healing.spawn(self.loops.any(), "heal", heal(proxy));
    EXPECT_EQ(co_await self.store->get(ctx, "p", "k"), "v");
    co_await healing.join();
  }
  co_await self.store->close();
}

CO_TEST_F(BrokenConnection, UnreachableServerIsUnavailableByTheDeadline) {
  auto proxy = std::make_unique<DroppingProxy>(PostgresCluster::shared().socket_path());
  self.config.connection_string = proxy->connection_string();
  self.open();
  proxy.reset();
  Context limited = ctx.within(std::chrono::milliseconds(200));
  const auto started = Context::SteadyClock::now();
  CO_EXPECT_ERROR(self.store->get(limited, "p", "k"), ErrorCode::unavailable);
  CO_EXPECT_ERROR(self.store->set(limited, "p", "k", "v"), ErrorCode::deadline_exceeded);
  EXPECT_LT(Context::SteadyClock::now() - started, std::chrono::seconds(3));
  co_await self.store->close();
}

CO_TEST_F(BrokenConnection, UnreachableServerIsUnavailableWithoutADeadline) {
  auto proxy = std::make_unique<DroppingProxy>(PostgresCluster::shared().socket_path());
  self.config.connection_string = proxy->connection_string();
  self.config.unreachable_after = std::chrono::milliseconds(150);
  self.open();
  proxy.reset();
  Context forever;
  CO_EXPECT_ERROR(self.store->get(forever, "p", "k"), ErrorCode::unavailable);
  co_await self.store->close();
}

CO_TEST_F(BrokenConnection, RestartedServerIsFoundAgain) {
  PostgresCluster own;
  self.config.connection_string = own.connection_string();
  auto store = PostgresStore::open(self.config, self.loops, self.pool);
  co_await store->set(ctx, "p", "k", "v");
  own.kill();
  own.start();
  EXPECT_EQ(co_await store->get(ctx, "p", "k"), "v");
  co_await store->set(ctx, "p", "k", "w");
  EXPECT_EQ(co_await store->get(ctx, "p", "k"), "w");
  co_await store->close();
}

CO_TEST_F(BrokenConnection, ReplicaIsRefusedAtTheStartAndAfterAFailover) {
  PostgresCluster own;
  self.config.connection_string = own.connection_string();
  self.config.unreachable_after = std::chrono::milliseconds(300);
  auto store = PostgresStore::open(self.config, self.loops, self.pool);
  co_await store->set(ctx, "p", "k", "v");
  own.kill();
  own.be_replica(true);
  own.start();
  CO_EXPECT_ERROR(store->get(ctx, "p", "k"), ErrorCode::unavailable);
  CO_EXPECT_ERROR(store->set(ctx, "p", "k", "w"), ErrorCode::unavailable);
  try {
    PostgresStore::open(self.config, self.loops, self.pool);
    ADD_FAILURE() << "opened";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    EXPECT_NE(error.message().find("is a replica"), std::string::npos) << error.message();
  }
  own.kill();
  own.be_replica(false);
  own.start();
  self.config.unreachable_after = std::chrono::milliseconds(20'000);
  EXPECT_EQ(co_await PostgresStore::open(self.config, self.loops, self.pool)->get(ctx, "p", "k"),
            "v");
  co_await store->close();
}

CO_TEST_F(BrokenConnection, ServerThatBecomesReadOnlyIsNotUsed) {
  PostgresCluster own;
  self.config.connection_string = own.connection_string();
  self.config.unreachable_after = std::chrono::milliseconds(300);
  auto store = PostgresStore::open(self.config, self.loops, self.pool);
  co_await store->set(ctx, "p", "k", "v");
  const std::atomic<bool> stop = false;
  {
    BlockingSession session(self.config, stop);
    session.execute("ALTER SYSTEM SET default_transaction_read_only = on");
    session.execute("SELECT pg_reload_conf()");
    session.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
        "application_name = 'tarn' AND pid <> pg_backend_pid()");
  }
  CO_EXPECT_ERROR(store->get(ctx, "p", "k"), ErrorCode::unavailable);
  CO_EXPECT_ERROR(store->set(ctx, "p", "k", "w"), ErrorCode::unavailable);
  co_await store->close();
}

}  // namespace
}  // namespace tarn::kv
