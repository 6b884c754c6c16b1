#include "kv/dynamo/dynamo_store.h"

#include <atomic>
#include <cstdlib>
#include <memory>
#include <string>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

#include "base/random.h"
#include "base/time.h"
#include "io/sync.h"
#include "kv/dynamo/testing/emulator.h"
#include "kv/dynamo/testing/fake_dynamo.h"
#include "kv/testing/store_suite.h"

namespace tarn::kv::testing {
namespace {

DynamoConfig quick(std::string endpoint) {
  DynamoConfig config{.table = "t" + make_uuid(), .endpoint = std::move(endpoint)};
  config.backoff_first = std::chrono::milliseconds(1);
  config.backoff_max = std::chrono::milliseconds(5);
  return config;
}

const SystemClock kClock;

Task<std::unique_ptr<DynamoStore>> open(Context& ctx, DynamoConfig config) {
  return DynamoStore::open(ctx, std::move(config),
                           {.client = std::make_unique<http::Client>(),
                            .credentials = std::make_unique<aws::FixedCredentials>(aws::Credentials{
                                .access_key = "AKIDEXAMPLE", .secret_key = "secret"})},
                           kClock);
}

/// On a loop that outlives the store, whose connections stay there.
class Opened {
 public:
  explicit Opened(DynamoConfig config) {
    Context ctx;
    store_ =
        boost::asio::co_spawn(loops_.any(), open(ctx, std::move(config)), boost::asio::use_future)
            .get();
  }

  Store& store() { return *store_; }

 private:
  io::Loops loops_{1};
  std::unique_ptr<DynamoStore> store_;
};

class FakeHarness final : public StoreHarness {
 public:
  explicit FakeHarness(std::size_t page_items) { fake_.look_at_items(page_items); }

  Store& store() override { return opened_.store(); }

  std::size_t value_bytes_max() const override { return kDynamoItemBytesMax - 100; }

 private:
  FakeDynamo fake_;
  Opened opened_{quick(fake_.url())};
};

class EmulatorHarness final : public StoreHarness {
 public:
  EmulatorHarness() : opened_(quick(*emulator_url())) {}

  Store& store() override { return opened_.store(); }

  // moto counts the attribute's base64; one that was named counts as DynamoDB does.
  std::size_t value_bytes_max() const override {
    return std::getenv("TARN_TEST_DYNAMO") != nullptr ? kDynamoItemBytesMax - 100 : 290 * 1'024;
  }

 private:
  Opened opened_;
};

std::unique_ptr<StoreHarness> make_fake() {
  return std::make_unique<FakeHarness>(1'000'000);
}

std::unique_ptr<StoreHarness> make_fake_of_small_pages() {
  return std::make_unique<FakeHarness>(3);
}

std::unique_ptr<StoreHarness> make_emulated() {
  return std::make_unique<EmulatorHarness>();
}

std::vector<MakeHarness> emulators() {
  if (emulator_url()) return {&make_emulated};
  return {};
}

INSTANTIATE_TEST_SUITE_P(Dynamo, StoreSuite, ::testing::Values(&make_fake));
INSTANTIATE_TEST_SUITE_P(DynamoInSmallPages, StoreSuite,
                         ::testing::Values(&make_fake_of_small_pages));
INSTANTIATE_TEST_SUITE_P(DynamoEmulated, StoreSuite, ::testing::ValuesIn(emulators()));

TEST(DynamoEmulator, IsThere) {
  if (!emulator_url()) GTEST_SKIP() << "no emulator: build/venv has no moto_server";
}

CO_TEST(DynamoOpen, MakesTheTableOnceAndWaitsForIt) {
  FakeDynamo fake;
  fake.be_slow_to_create(3);
  const DynamoConfig config = quick(fake.url());
  const auto store = co_await open(ctx, config);
  const std::vector<std::string> expected = {"DescribeTable", "CreateTable",   "DescribeTable",
                                             "DescribeTable", "DescribeTable", "DescribeTable"};
  EXPECT_EQ(fake.call_names(), expected);
  co_await store->set(ctx, "p", "k", "v");
  const auto second = co_await open(ctx, config);
  EXPECT_EQ(co_await second->get(ctx, "p", "k"), "v");
}

CO_TEST(DynamoOpen, AnotherServerMayMakeTheTableFirst) {
  FakeDynamo fake;
  const DynamoConfig config = quick(fake.url());
  fake.decide([&](std::string_view call, int) -> std::optional<DynamoFault> {
    if (call != "CreateTable") return std::nullopt;
    return DynamoFault{.kind = DynamoFault::Kind::ignore, .type = "ResourceInUseException"};
  });
  const auto store = co_await open(ctx, config);
  EXPECT_EQ(co_await store->get(ctx, "p", "k"), std::nullopt);
}

CO_TEST(DynamoOpen, RefusesWhatCannotBe) {
  FakeDynamo fake;
  DynamoConfig config = quick(fake.url());
  config.table = "a\"b";
  CO_EXPECT_ERROR(open(ctx, config), ErrorCode::invalid_argument);
  config = quick("ftp://nowhere");
  CO_EXPECT_ERROR(open(ctx, config), ErrorCode::invalid_argument);
  config = quick(fake.url());
  config.create_table = false;
  CO_EXPECT_ERROR(open(ctx, config), ErrorCode::invalid_argument);
  fake.make_table(config.table, "OtherKey");
  CO_EXPECT_ERROR(open(ctx, config), ErrorCode::invalid_argument);
}

CO_TEST(DynamoOpen, ATableThatNeverComesIsUnavailable) {
  FakeDynamo fake;
  fake.be_slow_to_create(1'000'000);
  DynamoConfig config = quick(fake.url());
  config.table_wait_max = std::chrono::milliseconds(100);
  CO_EXPECT_ERROR(open(ctx, config), ErrorCode::unavailable);
}

CO_TEST(DynamoStoreTest, AnItemMayNotBeLargerThanDynamoTakes) {
  FakeDynamo fake;
  const auto store = co_await open(ctx, quick(fake.url()));
  const std::size_t room = kDynamoItemBytesMax - 28 - 2;  // names, "p", "k"
  co_await store->set(ctx, "p", "k", std::string(room, 'v'));
  const int before = fake.calls();
  std::vector<Op> ops;
  ops.push_back(Op::set("p", "other", "v"));
  ops.push_back(Op::set("p", "k", std::string(room + 1, 'w')));
  CO_EXPECT_ERROR(store->run(ctx, std::move(ops)), ErrorCode::too_large);
  EXPECT_EQ(fake.calls(), before) << "nothing of a refused run is done";
}

CO_TEST(DynamoStoreTest, CallsAreSignedForTheRegion) {
  FakeDynamo fake;
  DynamoConfig config = quick(fake.url());
  config.region = "eu-west-1";
  const auto store = co_await open(ctx, config);
  co_await store->get(ctx, "p", "k");
  const std::string authorization = fake.last_authorization();
  EXPECT_TRUE(authorization.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"))
      << authorization;
  EXPECT_NE(authorization.find("/eu-west-1/dynamodb/aws4_request"), std::string::npos);
  EXPECT_NE(authorization.find("x-amz-target"), std::string::npos);
}

CO_TEST(DynamoStoreTest, GetsOfARunGoTogether) {
  FakeDynamo fake;
  const auto store = co_await open(ctx, quick(fake.url()));
  fake.decide({});
  std::vector<Op> ops;
  ops.push_back(Op::get("p", "a"));
  ops.push_back(Op::get("p", "b"));
  ops.push_back(Op::set("p", "a", "v"));
  ops.push_back(Op::get("p", "a"));
  const auto results = co_await store->run(ctx, std::move(ops));
  EXPECT_EQ(results.at(3).found, "v");
  const std::vector<std::string> expected = {"BatchGetItem", "PutItem", "GetItem"};
  EXPECT_EQ(fake.call_names(), expected);
}

CO_TEST(DynamoStoreTest, CloseWaitsForCallsUnderWay) {
  FakeDynamo fake;
  const auto store = co_await open(ctx, quick(fake.url()));
  io::Loops loops(1);
  io::TaskGroup group;
  std::atomic<int> wins = 0;
  for (int i = 0; i < 20; ++i)
    group.spawn(loops.any(), "count_win", count_win(*store, std::to_string(i), wins));
  while (fake.call_names().size() < 5)
    co_await io::yield();
  co_await store->close();
  EXPECT_EQ(wins, 1);
  co_await group.join();
  CO_EXPECT_ERROR(store->get(ctx, "p", "k"), ErrorCode::unavailable);
}

}  // namespace
}  // namespace tarn::kv::testing
