// What a network and a service can do to a call, against the fake.
#include <atomic>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "aws/credentials/credentials.h"
#include "base/random.h"
#include "base/time.h"
#include "kv/dynamo/dynamo_client.h"
#include "kv/dynamo/dynamo_store.h"
#include "kv/dynamo/testing/fake_dynamo.h"
#include "testing/co_test.h"

namespace tarn::kv::testing {
namespace {

using Kind = DynamoFault::Kind;
using std::chrono::milliseconds;
using std::chrono::seconds;

class CountingCredentials final : public aws::CredentialsSource {
 public:
  explicit CountingCredentials(std::atomic<int>& refused) : refused_(refused) {}

  Task<aws::Credentials> get(Context&) override {
    co_return aws::Credentials{.access_key = "KEY" + std::to_string(refused_), .secret_key = "s"};
  }

  void refuse(const aws::Credentials&) override { ++refused_; }

 private:
  std::atomic<int>& refused_;
};

class DynamoFaults : public ::testing::Test {
 public:
  DynamoFaults()
      : config{.table = "faulty",
               .endpoint = fake.url(),
               .max_attempts = 6,
               .backoff_first = milliseconds(1),
               .backoff_max = milliseconds(4)},
        store(tarn::testing::run_co([&](Context& ctx) { return open(ctx); })) {
    fake.decide({});
  }

  Task<std::unique_ptr<DynamoStore>> open(Context& ctx) {
    return DynamoStore::open(ctx, config,
                             {.client = std::make_unique<http::Client>(),
                              .credentials = std::make_unique<CountingCredentials>(refused)},
                             clock);
  }

  /// The first `times` calls of that name fail so; later ones work.
  void fail_first(int times, std::string name, DynamoFault fault) {
    auto left = std::make_shared<std::atomic<int>>(times);
    fake.decide([=](std::string_view call, int) -> std::optional<DynamoFault> {
      if (call != name || left->fetch_sub(1) <= 0) return std::nullopt;
      return fault;
    });
  }

  FakeDynamo fake;
  SystemClock clock;
  std::atomic<int> refused = 0;  // credentials
  DynamoConfig config;
  std::unique_ptr<DynamoStore> store;
};

const DynamoFault kThrottled{.type = "ProvisionedThroughputExceededException"};
const DynamoFault kBroken{.kind = Kind::refuse, .status = 500, .type = "InternalServerError"};

CO_TEST_F(DynamoFaults, EveryPassingFaultOfAReadIsRepeated) {
  co_await self.store->set(ctx, "p", "k", "v");
  for (const DynamoFault& fault :
       {kThrottled, DynamoFault{.type = "ThrottlingException"},
        DynamoFault{.type = "RequestLimitExceeded"}, kBroken,
        DynamoFault{.status = 503, .type = ""}, DynamoFault{.kind = Kind::lose},
        DynamoFault{.kind = Kind::garble}, DynamoFault{.kind = Kind::bad_crc}}) {
    self.fail_first(3, "GetItem", fault);
    EXPECT_EQ(co_await self.store->get(ctx, "p", "k"), "v") << static_cast<int>(fault.kind);
    EXPECT_EQ(self.fake.calls(), 4) << static_cast<int>(fault.kind) << fault.type;
  }
}

CO_TEST_F(DynamoFaults, ThrottlingThatLastsIsToldAsSuch) {
  self.fail_first(1'000, "PutItem", kThrottled);
  CO_EXPECT_ERROR(self.store->set(ctx, "p", "k", "v"), ErrorCode::throttled);
  EXPECT_EQ(self.fake.calls(), 6);
  self.fail_first(1'000, "GetItem", kBroken);
  CO_EXPECT_ERROR(self.store->get(ctx, "p", "k"), ErrorCode::unavailable);
  EXPECT_EQ(self.fake.calls(), 6);
}

CO_TEST_F(DynamoFaults, PausesEndBeforeTheDeadline) {
  self.config.backoff_first = seconds(100);
  self.config.backoff_max = seconds(1'000);
  const auto patient = co_await self.open(ctx);
  self.fail_first(1'000, "GetItem", kThrottled);
  Context hurried = ctx.within(milliseconds(300));
  const auto begin = Context::SteadyClock::now();
  CO_EXPECT_ERROR(patient->get(hurried, "p", "k"), ErrorCode::throttled);
  EXPECT_LT(Context::SteadyClock::now() - begin, seconds(5));
}

CO_TEST_F(DynamoFaults, AWriteWhoseAnswerIsLostIsDoneOnce) {
  for (const Kind kind : {Kind::lose, Kind::garble, Kind::bad_crc}) {
    co_await self.store->erase(ctx, "p", "k");
    self.fail_first(1, "PutItem", {.kind = kind});
    co_await self.store->set(ctx, "p", "k", "v");
    self.fail_first(1, "PutItem", {.kind = kind});
    EXPECT_EQ(co_await self.store->set_if(ctx, "p", "k", "w", Expect::value("v")), SetIf::stored);
    EXPECT_EQ(co_await self.store->get(ctx, "p", "k"), "w");
    co_await self.store->erase(ctx, "p", "k");
    self.fail_first(1, "PutItem", {.kind = kind});
    EXPECT_EQ(co_await self.store->set_if(ctx, "p", "k", "x", Expect::absent()), SetIf::stored);
    self.fail_first(1, "DeleteItem", {.kind = kind});
    co_await self.store->erase(ctx, "p", "k");
    EXPECT_EQ(co_await self.store->get(ctx, "p", "k"), std::nullopt);
  }
}

CO_TEST_F(DynamoFaults, AConditionThatFailsAfterAnUnansweredTryIsNotCalledLost) {
  co_await self.store->set(ctx, "p", "k", "another's");
  self.fail_first(1, "PutItem", {.kind = Kind::lose});
  CO_EXPECT_ERROR(self.store->set_if(ctx, "p", "k", "mine", Expect::absent()),
                  ErrorCode::unavailable);
  EXPECT_EQ(co_await self.store->get(ctx, "p", "k"), "another's");
}

CO_TEST_F(DynamoFaults, AThrottledTryDidNothingSoALaterRefusalIsALoss) {
  co_await self.store->set(ctx, "p", "k", "another's");
  self.fail_first(2, "PutItem", kThrottled);
  EXPECT_EQ(co_await self.store->set_if(ctx, "p", "k", "mine", Expect::absent()), SetIf::lost);
}

CO_TEST_F(DynamoFaults, ExpiredCredentialsAreReplacedOnce) {
  self.fail_first(1, "GetItem", {.type = "ExpiredTokenException"});
  EXPECT_EQ(co_await self.store->get(ctx, "p", "k"), std::nullopt);
  EXPECT_EQ(self.refused, 1);
  EXPECT_NE(self.fake.last_authorization().find("Credential=KEY1/"), std::string::npos);
  self.fail_first(1'000, "GetItem", {.type = "ExpiredTokenException"});
  CO_EXPECT_ERROR(self.store->get(ctx, "p", "k"), ErrorCode::internal);
  EXPECT_EQ(self.fake.calls(), 2);
}

CO_TEST_F(DynamoFaults, WhatRepeatingCannotMendIsToldAtOnce) {
  self.fail_first(1, "GetItem", {.type = "AccessDeniedException", .message = "no"});
  CO_EXPECT_ERROR(self.store->get(ctx, "p", "k"), ErrorCode::internal);
  EXPECT_EQ(self.fake.calls(), 1);
  self.fail_first(1, "PutItem",
                  {.type = "ValidationException", .message = "Item size has exceeded the limit"});
  CO_EXPECT_ERROR(self.store->set(ctx, "p", "k", "v"), ErrorCode::too_large);
}

CO_TEST_F(DynamoFaults, UnprocessedKeysAreAskedForAgain) {
  std::vector<Op> ops;
  std::vector<Address> asked;
  for (int i = 0; i < 150; ++i) {
    ops.push_back(Op::set("p", std::to_string(i), "v" + std::to_string(i)));
    asked.push_back({"p", std::to_string(i)});
  }
  asked.push_back({"p", "none"});
  co_await self.store->run(ctx, std::move(ops));
  self.fake.answer_keys_at_most(40);
  const auto found = co_await self.store->get_many(ctx, asked);
  CO_ASSERT_EQ(found.size(), 151u);
  for (int i = 0; i < 150; ++i)
    EXPECT_EQ(found[i], "v" + std::to_string(i));
  EXPECT_EQ(found[150], std::nullopt);
  self.fake.answer_keys_at_most(0);
  CO_EXPECT_ERROR(self.store->get_many(ctx, asked), ErrorCode::throttled);
}

CO_TEST_F(DynamoFaults, AnUnreachableServiceIsUnavailable) {
  auto gone = std::make_unique<FakeDynamo>();
  self.config.endpoint = gone->url();
  const auto lonely = co_await self.open(ctx);
  gone.reset();
  CO_EXPECT_ERROR(lonely->get(ctx, "p", "k"), ErrorCode::unavailable);
}

TEST(DynamoRemedies, ThrottlingIsToldFromFaults) {
  using dynamo::Remedy;
  using dynamo::remedy_for;
  EXPECT_EQ(remedy_for(400, "ThrottlingException"), Remedy::throttled);
  EXPECT_EQ(remedy_for(503, "SlowDown"), Remedy::throttled);
  EXPECT_EQ(remedy_for(429, ""), Remedy::throttled);
  EXPECT_EQ(remedy_for(500, "InternalServerError"), Remedy::again);
  EXPECT_EQ(remedy_for(400, "ValidationException"), Remedy::none);
  EXPECT_EQ(remedy_for(403, ""), Remedy::none);
  EXPECT_EQ(remedy_for(400, "ExpiredTokenException"), Remedy::new_login);
}

TEST(DynamoRemedies, PausesDoubleUpToALimit) {
  const DynamoConfig config{.backoff_first = milliseconds(50), .backoff_max = milliseconds(5'000)};
  EXPECT_EQ(dynamo::backoff_limit(config, 1), milliseconds(50));
  EXPECT_EQ(dynamo::backoff_limit(config, 2), milliseconds(100));
  EXPECT_EQ(dynamo::backoff_limit(config, 7), milliseconds(3'200));
  EXPECT_EQ(dynamo::backoff_limit(config, 8), milliseconds(5'000));
  EXPECT_EQ(dynamo::backoff_limit(config, 1'000'000), milliseconds(5'000));
}

}  // namespace
}  // namespace tarn::kv::testing
