#include "kv/rocks/rocks_store.h"

#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <string>

#include <rocksdb/db.h>

#include "base/format.h"
#include "base/random.h"
#include "io/blocking_pool.h"
#include "kv/testing/store_suite.h"
#include "testing/temp_dir.h"

namespace tarn::kv::testing {
namespace {

class RocksHarness final : public StoreHarness {
 public:
  explicit RocksHarness(std::uint32_t inline_rows_max) {
    RocksConfig config{.directory = dir_.file("kv")};
    config.inline_rows_max = inline_rows_max;
    store_ = RocksStore::open(std::move(config), pool_);
  }

  Store& store() override { return *store_; }

 private:
  tarn::testing::TempDir dir_;
  io::BlockingPool pool_{{.name = "metadata"}};
  std::unique_ptr<RocksStore> store_;
};

std::unique_ptr<StoreHarness> make_harness() {
  return std::make_unique<RocksHarness>(256);
}

std::unique_ptr<StoreHarness> make_pooled_harness() {
  return std::make_unique<RocksHarness>(0);
}

INSTANTIATE_TEST_SUITE_P(Rocks, StoreSuite, ::testing::Values(&make_harness));
INSTANTIATE_TEST_SUITE_P(RocksOnThePool, StoreSuite, ::testing::Values(&make_pooled_harness));

class RocksStoreTest : public ::testing::Test {
 public:
  std::unique_ptr<RocksStore> open() { return RocksStore::open(config, pool); }

  tarn::testing::TempDir dir;
  RocksConfig config{.directory = dir.file("deep/er/kv")};
  io::BlockingPool pool{{.name = "metadata"}};
};

CO_TEST_F(RocksStoreTest, ReopenedStoreHasEverything) {
  auto store = self.open();
  co_await set_keys(ctx, *store, "p", {"a", "b", "c"});
  co_await store->erase(ctx, "p", "b");
  co_await store->close();
  store.reset();
  store = self.open();
  EXPECT_EQ(co_await read_keys(ctx, *store, "p"), "a c");
  co_await store->close();
}

// One absent key in a hundred passes a Bloom filter; asked to stay in its cache, RocksDB then
// answers some of them with an empty value.
CO_TEST_F(RocksStoreTest, AColdStoreDoesNotInventEmptyValues) {
  constexpr std::uint32_t kKeys = 2'000, kAsked = 300, kPerCall = 3;
  const auto key = [](std::uint32_t i) { return format("k{:05}", i); };
  std::mt19937 random(7);
  for (int files = 0; files < 4; ++files) {
    auto store = self.open();
    for (int i = 0; i < 300; ++i)
      co_await store->set(ctx, "p", key(2 * (random() % kKeys)), std::string(200, 'x'));
    co_await store->close();
  }
  for (int opened = 0; opened < 12; ++opened) {
    auto store = self.open();
    for (std::uint32_t i = 0; i < kAsked; ++i) {
      std::vector<Address> odd;
      for (std::uint32_t n = 0; n < kPerCall; ++n)
        odd.push_back({"p", key(2 * (random() % kKeys) + 1)});
      for (const auto& found : co_await store->get_many(ctx, std::move(odd)))
        EXPECT_FALSE(found.has_value()) << found->size() << " bytes";
    }
    co_await store->close();
  }
}

CO_TEST_F(RocksStoreTest, DestructionWithoutCloseLosesNothing) {
  auto store = self.open();
  co_await store->set(ctx, "p", "k", "v");
  store.reset();
  store = self.open();
  EXPECT_EQ(co_await store->get(ctx, "p", "k"), "v");
}

CO_TEST_F(RocksStoreTest, CloseCommitsWhatIsQueued) {
  io::Loops loops(1);
  auto store = self.open();
  io::TaskGroup group;
  std::atomic<int> wins = 0;
  for (int i = 0; i < 100; ++i) {
    group.spawn(loops.any(), "count_win", count_win(*store, std::to_string(i), wins));
  }
  co_await group.join();
  co_await store->close();
  store = nullptr;
  store = self.open();
  EXPECT_TRUE((co_await store->get(ctx, "p", "contested")).has_value());
}

CO_TEST_F(RocksStoreTest, DirectoryInUseIsAClearError) {
  auto store = self.open();
  try {
    auto second = self.open();
    ADD_FAILURE() << "opened twice";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unavailable);
    EXPECT_NE(error.message().find("in use"), std::string::npos) << error.message();
  }
  co_await store->set(ctx, "p", "k", "v");
  co_await store->close();
  store = nullptr;
  store = self.open();
  EXPECT_EQ(co_await store->get(ctx, "p", "k"), "v");
}

TEST_F(RocksStoreTest, DirectoryThatCannotBeMadeIsAClearError) {
  config.directory = "/proc/no/such/place";
  EXPECT_THROW(open(), Error);
}

TEST_F(RocksStoreTest, ForeignDatabaseIsRefused) {
  rocksdb::Options options;
  options.create_if_missing = true;
  std::filesystem::create_directories(config.directory);
  rocksdb::DB* db = nullptr;
  ASSERT_TRUE(rocksdb::DB::Open(options, config.directory, &db).ok());
  ASSERT_TRUE(db->Put({}, "other", "data").ok());
  delete db;
  try {
    open();
    ADD_FAILURE() << "opened";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument) << error.message();
  }
}

CO_TEST_F(RocksStoreTest, DamagedTableIsCorruptNotAbsent) {
  auto store = self.open();
  co_await store->set(ctx, "p", "k", random_bytes(4'000));
  co_await store->set(ctx, "p", "l", random_bytes(4'000));  // another block, as the format row's
  co_await store->close();
  store.reset();
  for (const auto& file : std::filesystem::directory_iterator(self.config.directory)) {
    if (file.path().extension() != ".sst") continue;
    std::fstream table(file.path(), std::ios::in | std::ios::out | std::ios::binary);
    table.seekp(20);
    table.write("damage", 6);
  }
  store = self.open();
  CO_EXPECT_ERROR(store->get(ctx, "p", "k"), ErrorCode::corrupt);
  CO_EXPECT_ERROR(store->set_if(ctx, "p", "k", "w", Expect::absent()), ErrorCode::corrupt);
  co_await store->set(ctx, "p", "other", "v");
  EXPECT_EQ(co_await store->get(ctx, "p", "other"), "v");
}

CO_TEST_F(RocksStoreTest, RowsBeyondTheBlockCacheComeFromTheDisk) {
  self.config.block_cache_bytes = 64 * 1'024;
  auto store = self.open();
  std::mt19937 random(3);
  std::vector<std::string> values;
  for (int i = 0; i < 2'000; ++i) {
    std::string value(500, '\0');
    for (char& byte : value)
      byte = static_cast<char>(random());
    values.push_back(std::move(value));
  }
  std::vector<Op> ops;
  for (int i = 0; i < 2'000; ++i)
    ops.push_back(Op::set("p", std::to_string(i), values[i]));
  co_await store->run(ctx, std::move(ops));
  co_await store->close();
  store.reset();

  store = self.open();
  for (int i = 0; i < 500; ++i) {
    const int row = static_cast<int>(random() % 2'000);
    EXPECT_TRUE(co_await store->get(ctx, "p", std::to_string(row)) == values[row]);
  }
  std::vector<Address> asked;
  for (int i = 0; i < 200; ++i)
    asked.push_back({"p", std::to_string(i * 10)});
  const auto found = co_await store->get_many(ctx, asked);
  for (int i = 0; i < 200; ++i)
    EXPECT_TRUE(found[i] == values[i * 10]);
  EXPECT_EQ((co_await read_all(ctx, *store, "p", {.page_keys = 100})).size(), 2'000u);
  co_await store->close();
}

CO_TEST_F(RocksStoreTest, CheckpointIsAStoreOfThatMoment) {
  auto store = self.open();
  co_await set_keys(ctx, *store, "p", {"a", "b"});
  co_await store->checkpoint(ctx, self.dir.file("copy"));
  co_await store->erase(ctx, "p", "a");
  co_await set_keys(ctx, *store, "p", {"c"});
  CO_EXPECT_ERROR(store->checkpoint(ctx, self.dir.file("copy")), ErrorCode::already_exists);
  RocksConfig copied = self.config;
  copied.directory = self.dir.file("copy");
  auto copy = RocksStore::open(copied, self.pool);
  EXPECT_EQ(co_await read_keys(ctx, *copy, "p"), "a b");
  EXPECT_EQ(co_await read_keys(ctx, *store, "p"), "b c");
  co_await copy->close();
  co_await store->close();
}

CO_TEST_F(RocksStoreTest, PagesOfLargeValuesAreCutByBytes) {
  auto store = self.open();
  for (int i = 0; i < 12; ++i) {
    co_await store->set(ctx, "p", format("{:02}", i), std::string(400 * 1'024, 'v'));
  }
  auto cursor = store->scan("p", {.page_keys = 1'000});
  EXPECT_TRUE(co_await cursor->fill(ctx));
  int in_page = 1;
  while (cursor->next())
    ++in_page;
  EXPECT_LE(in_page, 3);
  Rows rest;
  co_await read_on(ctx, *cursor, rest);
  EXPECT_EQ(rest.size() + static_cast<std::size_t>(in_page), 12u);
}

CO_TEST_F(RocksStoreTest, ScanPastErasedRowsFindsTheLivingOnes) {
  auto store = self.open();
  std::vector<Op> ops;
  for (int i = 0; i < 20'000; ++i)
    ops.push_back(Op::set("p", format("{:06}", i), "v"));
  co_await store->run(ctx, std::move(ops));
  ops.clear();
  for (int i = 0; i < 19'999; ++i)
    ops.push_back(Op::erase("p", format("{:06}", i)));
  co_await store->run(ctx, std::move(ops));
  EXPECT_EQ(co_await read_keys(ctx, *store, "p", {.page_keys = 10}), "019999");
}

}  // namespace
}  // namespace tarn::kv::testing
