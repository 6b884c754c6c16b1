#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "io/blocking_pool.h"
#include "io/loops.h"
#include "io/sync.h"
#include "io/task_group.h"
#include "kv/rocks/rocks_store.h"
#include "kv/rocks/testing/faulty_env.h"
#include "testing/co_test.h"
#include "testing/temp_dir.h"

namespace tarn::kv::testing {
namespace {

class RocksOnFaultyDisk : public ::testing::Test {
 public:
  RocksConfig config() {
    RocksConfig config{.directory = dir.file("kv")};
    config.resume_interval = std::chrono::milliseconds(0);
    config.room_bytes_min = 0;  // the faults are below statvfs
    config.env = disk.env();
    return config;
  }

  tarn::testing::TempDir dir;
  FaultyDisk disk;
  io::BlockingPool pool{{.name = "metadata"}};
};

CO_TEST_F(RocksOnFaultyDisk, FullDiskRefusesWritesKeepsReadingAndHeals) {
  auto store = RocksStore::open(self.config(), self.pool);
  for (int i = 0; i < 50; ++i) {
    co_await store->set(ctx, "p", "early" + std::to_string(i), std::string(1'000, 'e'));
  }

  self.disk.faults.fill();
  for (int i = 0; i < 5; ++i) {
    CO_EXPECT_ERROR(store->set(ctx, "p", "refused", "v"), ErrorCode::storage_full);
    EXPECT_EQ(co_await store->get(ctx, "p", "early1"), std::string(1'000, 'e'));
    EXPECT_EQ(co_await store->get(ctx, "p", "refused"), std::nullopt);
  }

  self.disk.faults.make_space();
  co_await store->set(ctx, "p", "late", "after");
  EXPECT_EQ(co_await store->set_if(ctx, "p", "refused", "v2", Expect::absent()), SetIf::stored);
  co_await store->close();
  store.reset();

  store = RocksStore::open(self.config(), self.pool);
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(co_await store->get(ctx, "p", "early" + std::to_string(i)), std::string(1'000, 'e'));
  }
  EXPECT_EQ(co_await store->get(ctx, "p", "late"), "after");
  EXPECT_EQ(co_await store->get(ctx, "p", "refused"), "v2");
  co_await store->close();
}

CO_TEST_F(RocksOnFaultyDisk, RunWithoutStepsTellsOfAFullDiskAndHealsIt) {
  auto store = RocksStore::open(self.config(), self.pool);
  co_await store->run(ctx, {});
  self.disk.faults.fill();
  CO_EXPECT_ERROR(store->set(ctx, "p", "k", "v"), ErrorCode::storage_full);
  CO_EXPECT_ERROR(store->run(ctx, {}), ErrorCode::storage_full);
  self.disk.faults.make_space();
  co_await store->run(ctx, {});
  co_await store->close();
}

CO_TEST_F(RocksOnFaultyDisk, WritesNothingWithoutRoomToRecover) {
  RocksConfig config = self.config();
  config.room_bytes_min = UINT64_MAX;
  auto store = RocksStore::open(std::move(config), self.pool);
  CO_EXPECT_ERROR(store->run(ctx, {}), ErrorCode::storage_full);
  CO_EXPECT_ERROR(store->set(ctx, "p", "k", "v"), ErrorCode::storage_full);
  EXPECT_EQ(co_await store->get(ctx, "p", "k"), std::nullopt);
  co_await store->close();
}

/// Whether the write was stored; anything but a full disk escapes.
Task<bool> try_set(Context& ctx, Store& store, std::string key) {
  try {
    co_await store.set(ctx, "p", key, std::string(1'000, 'x'));
    co_return true;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::storage_full) throw;
    co_return false;
  }
}

CO_TEST_F(RocksOnFaultyDisk, FlushWithoutSpaceRefusesWritesAndHeals) {
  RocksConfig config = self.config();
  config.memtable_bytes = 128 * 1'024;
  auto store = RocksStore::open(config, self.pool);
  self.disk.faults.fill_for_tables();
  std::vector<Address> stored;
  int refused = 0;
  for (int i = 0; i < 10'000 && refused < 10; ++i) {
    std::string key = std::to_string(i);
    if (co_await try_set(ctx, *store, key)) {
      stored.push_back({"p", std::move(key)});
    } else {
      ++refused;
    }
  }
  EXPECT_EQ(refused, 10);

  self.disk.faults.make_space();
  // RocksDB itself looks for space every few seconds, by the wall clock.
  const auto patience = Context::SteadyClock::now() + std::chrono::seconds(60);
  bool healed = false;
  while (!healed && Context::SteadyClock::now() < patience) {
    healed = co_await try_set(ctx, *store, "late");
  }
  EXPECT_TRUE(healed);
  co_await store->close();
  store.reset();
  store = RocksStore::open(config, self.pool);
  for (const auto& found : co_await store->get_many(ctx, std::move(stored))) {
    EXPECT_TRUE(found.has_value());
  }
  co_await store->close();
}

/// Writes until it is stored, or only a restart can help.
Task<bool> heals(Context& ctx, Store& store) {
  const auto patience = Context::SteadyClock::now() + std::chrono::seconds(60);
  while (Context::SteadyClock::now() < patience) {
    try {
      if (co_await try_set(ctx, store, "late")) co_return true;
    } catch (const Error& error) {
      if (error.code() != ErrorCode::unavailable) throw;
      co_return false;
    }
  }
  throw Error(ErrorCode::internal, "does not heal");
}

/// Around a flush RocksDB is delicate: one that meets the failed write may be waited for for ever,
/// and a log whose first record failed would be used again, which aborts.
CO_TEST_F(RocksOnFaultyDisk, SurvivesWhicheverWriteFindsTheDiskFull) {
  int healed = 0;
  for (int writes = 8; writes < 24; ++writes) {  // a flush is due after about 16
    RocksConfig config = self.config();
    config.directory += std::to_string(writes);
    config.memtable_bytes = 64 * 1'024;
    config.sync = false;
    config.resume_max = std::chrono::seconds(2);
    auto store = RocksStore::open(config, self.pool);
    std::vector<Address> stored;
    for (int i = 0; i < writes; ++i) {
      co_await store->set(ctx, "p", std::to_string(i), std::string(4'000, 'x'));
      stored.push_back({"p", std::to_string(i)});
    }
    self.disk.faults.fill();
    EXPECT_FALSE(co_await try_set(ctx, *store, "refused"));
    self.disk.faults.make_space();
    if (co_await heals(ctx, *store)) ++healed;
    co_await store->close();
    store.reset();
    store = RocksStore::open(config, self.pool);
    for (const auto& found : co_await store->get_many(ctx, stored))
      EXPECT_TRUE(found.has_value());
    co_await store->close();
  }
  EXPECT_GE(healed, 8);
}

CO_TEST_F(RocksOnFaultyDisk, StoreClosedOnAFullDiskLosesNothing) {
  auto store = RocksStore::open(self.config(), self.pool);
  co_await store->set(ctx, "p", "k", "v");
  self.disk.faults.fill();
  CO_EXPECT_ERROR(store->set(ctx, "p", "k", "v2"), ErrorCode::storage_full);
  co_await store->close();
  store.reset();
  self.disk.faults.make_space();
  store = RocksStore::open(self.config(), self.pool);
  EXPECT_EQ(co_await store->get(ctx, "p", "k"), "v");
  co_await store->close();
}

Task<> count_outcome(Store& store, std::string key, std::atomic<int>& stored,
                     std::atomic<int>& refused) {
  Context ctx;
  try {
    co_await store.set(ctx, "p", key, "v");
    ++stored;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::unavailable) throw;
    ++refused;
  }
}

CO_TEST_F(RocksOnFaultyDisk, FullQueueRefusesAtOnceAndKeepsWhatItAccepted) {
  RocksConfig config = self.config();
  config.queue_ops_max = 10;
  io::Loops loops(1);
  auto store = RocksStore::open(std::move(config), self.pool);
  io::TaskGroup group;
  std::atomic<int> stored = 0;
  std::atomic<int> refused = 0;
  const auto spawn = [&](std::string key) {
    group.spawn(loops.any(), "count_outcome",
                count_outcome(*store, std::move(key), stored, refused));
  };

  self.disk.faults.hold_syncs();
  spawn("first");
  self.disk.faults.await_held_sync();
  for (int i = 0; i < 15; ++i)
    spawn(std::to_string(i));
  while (refused < 5)
    co_await io::yield();
  EXPECT_EQ(stored, 0);
  self.disk.faults.release();
  co_await group.join();
  EXPECT_EQ(stored, 11);
  EXPECT_EQ(refused, 5);
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(co_await store->get(ctx, "p", std::to_string(i)), "v");
  co_await store->close();
}

CO_TEST_F(RocksOnFaultyDisk, WritesWaitingForTheDiskShareOneSync) {
  io::Loops loops(1);
  auto store = RocksStore::open(self.config(), self.pool);
  io::TaskGroup group;
  std::atomic<int> stored = 0;
  std::atomic<int> refused = 0;
  self.disk.faults.hold_syncs();
  group.spawn(loops.any(), "first", count_outcome(*store, "first", stored, refused));
  self.disk.faults.await_held_sync();
  const int before = self.disk.faults.syncs();
  for (int i = 0; i < 100; ++i) {
    group.spawn(loops.any(), "more", count_outcome(*store, std::to_string(i), stored, refused));
  }
  // The loop runs in order: once this one has started, the hundred are queued.
  std::atomic<int> reads = 0;
  group.spawn(loops.any(), "last", [](Store& s, std::atomic<int>& done) -> Task<> {
    Context read_ctx;
    static_cast<void>(co_await s.get(read_ctx, "p", "first"));
    ++done;
  }(*store, reads));
  while (reads == 0)
    co_await io::yield();
  self.disk.faults.release();
  co_await group.join();
  EXPECT_EQ(stored, 101);
  EXPECT_EQ(self.disk.faults.syncs() - before, 1);
  co_await store->close();
}

CO_TEST_F(RocksOnFaultyDisk, RunsOfGetsAndLostSetIfsDoNotSync) {
  auto store = RocksStore::open(self.config(), self.pool);
  co_await store->set(ctx, "p", "k", "v");
  const int before = self.disk.faults.syncs();
  std::vector<Op> ops;
  ops.push_back(Op::get("p", "k"));
  EXPECT_EQ((co_await store->run(ctx, std::move(ops)))[0].found, "v");
  EXPECT_EQ(co_await store->set_if(ctx, "p", "k", "w", Expect::absent()), SetIf::lost);
  EXPECT_EQ(self.disk.faults.syncs(), before);
  co_await store->close();
}

}  // namespace
}  // namespace tarn::kv::testing
