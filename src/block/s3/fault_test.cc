// A service in trouble: between the store and moto stands a server that breaks what it is told to.
#include <chrono>
#include <mutex>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/hash.h"
#include "block/s3/testing/fake_service.h"
#include "block/s3/testing/moto.h"
#include "block/s3/testing/troubled_service.h"
#include "block/testing/bodies.h"
#include "block/testing/object_store_suite.h"
#include "testing/co_test.h"

namespace tarn::block {
namespace {

using testing::get_text;
using testing::patterned;
using testing::put_text;
using testing::TroubledService;
using Fault = testing::ServiceFault;

class S3InTrouble : public ::testing::Test {
 public:
  void SetUp() override {
    TARN_NEEDS_MOTO();
    proxy =
        std::make_unique<TroubledService>(TroubledService::forward_to(*testing::moto_endpoint()));
    tarn::testing::run_co([](Context& ctx) {
      return testing::make_bucket(ctx, *testing::moto_endpoint(), "faults");
    });
  }

  std::unique_ptr<S3ObjectStore> make(std::size_t part_bytes = 100'000) {
    S3Config config = testing::s3_test_config(proxy->endpoint());
    config.part_bytes = part_bytes;
    config.max_retries = 3;
    return testing::make_s3_store(std::move(config), pool);
  }

  ObjectRef ref(std::string address) const {
    return {"s3://faults/space", std::move(address), AddressType::relative};
  }

  io::BlockingPool pool{{.name = "s3", .threads = 2}};
  std::unique_ptr<TroubledService> proxy;
};

constexpr Fault kSlow = Fault::slow_down;

CO_TEST_F(S3InTrouble, RepeatsAPutUntilItIsStored) {
  const auto store = self.make();
  const std::vector<std::vector<Fault>> troubles = {
      {kSlow, Fault::internal_error}, {Fault::lost_answer, kSlow}, {kSlow, kSlow, kSlow}};
  for (const auto& faults : troubles) {
    self.proxy->plan("PUT", "/put", faults);
    const std::string text = patterned(50'000, faults.size());
    co_await put_text(ctx, *store, self.ref("put"), text);
    EXPECT_EQ(self.proxy->seen(), faults.size() + 1);
    EXPECT_TRUE(co_await get_text(ctx, *store, self.ref("put")) == text);
  }
  co_await store->close();
}

CO_TEST_F(S3InTrouble, GivesUpAfterTheRetriesItMay) {
  const auto store = self.make();
  self.proxy->plan("PUT", "/never", std::vector<Fault>(20, kSlow));
  io::StringSource slow("x");
  CO_EXPECT_ERROR(store->put(ctx, self.ref("never"), slow), ErrorCode::throttled);
  EXPECT_EQ(self.proxy->seen(), 4u);
  self.proxy->plan("PUT", "/never", std::vector<Fault>(20, Fault::internal_error));
  io::StringSource broken("x");
  CO_EXPECT_ERROR(store->put(ctx, self.ref("never"), broken), ErrorCode::unavailable);
  EXPECT_FALSE((co_await store->head(ctx, self.ref("never"))).has_value());
  co_await store->close();
}

CO_TEST_F(S3InTrouble, StopsAtTheDeadline) {
  const auto store = self.make();
  self.proxy->plan("GET", "/late", {Fault::silence});
  co_await put_text(ctx, *store, self.ref("late"), "x");
  Context brief = ctx.within(std::chrono::milliseconds(200));
  CO_EXPECT_ERROR(store->get(brief, self.ref("late")), ErrorCode::deadline_exceeded);
  co_await store->close();
}

CO_TEST_F(S3InTrouble, GoesOnReadingWhereTheConnectionBroke) {
  const auto store = self.make(10'000'000);
  const std::string text = patterned(3'000'000);
  co_await put_text(ctx, *store, self.ref("read"), text);
  self.proxy->plan("GET", "/read", {Fault::half_body, kSlow, Fault::half_body, Fault::half_body});
  EXPECT_TRUE(co_await get_text(ctx, *store, self.ref("read")) == text);
  EXPECT_EQ(self.proxy->seen(), 5u);
  self.proxy->plan("GET", "/read", {Fault::half_body});
  EXPECT_TRUE(co_await get_text(ctx, *store, self.ref("read"), ByteRange{1'000, 2'000'000}) ==
              text.substr(1'000, 1'999'001));
  co_await store->close();
}

CO_TEST_F(S3InTrouble, NeverMixesTwoObjectsInOneRead) {
  const auto store = self.make(10'000'000);
  co_await put_text(ctx, *store, self.ref("mixed"), patterned(2'000'000));
  self.proxy->plan("GET", "/mixed", {Fault::half_body});
  const auto reader = co_await store->get(ctx, self.ref("mixed"));
  co_await reader->read(ctx);
  co_await put_text(ctx, *store, self.ref("mixed"), patterned(2'000'000, 5));
  CO_EXPECT_ERROR(io::read_all(ctx, *reader, 1 << 30), ErrorCode::unavailable);
  co_await store->close();
}

CO_TEST_F(S3InTrouble, RepeatsPartsOfALargeBody) {
  const auto store = self.make();
  const std::string text = patterned(1'050'000);
  self.proxy->plan(
      "PUT", "partNumber=", {kSlow, Fault::internal_error, Fault::none, Fault::lost_answer, kSlow});
  testing::PiecesSource body({text.substr(0, 500'001), text.substr(500'001)});
  EXPECT_EQ((co_await store->put(ctx, self.ref("parts"), body)).size, text.size());
  EXPECT_TRUE(co_await get_text(ctx, *store, self.ref("parts")) == text);
  co_await store->close();
}

CO_TEST_F(S3InTrouble, CompletesOnceThoughTheAnswerWasLost) {
  const auto store = self.make();
  const std::string text = patterned(350'000);
  self.proxy->plan("POST", "uploadId=", {Fault::half_body});
  testing::PiecesSource body({text});
  EXPECT_EQ((co_await store->put(ctx, self.ref("completed"), body)).size, text.size());
  EXPECT_TRUE(co_await get_text(ctx, *store, self.ref("completed")) == text);
  co_await store->close();
}

/// On a connection kept from before, which HTTP clients like to repeat on without a word, and with
/// a service that does not know the upload any more.
CO_TEST_F(S3InTrouble, CompletesOnceThoughNoByteOfTheAnswerCame) {
  testing::FakeService fake;
  TroubledService service([&](Context& its_ctx, testing::ServiceRequest request) {
    return fake.serve(its_ctx, std::move(request));
  });
  co_await testing::make_bucket(ctx, service.endpoint(), "faults");
  S3Config config = testing::s3_test_config(service.endpoint());
  config.part_bytes = 100'000;
  const auto store = testing::make_s3_store(config, self.pool);
  const std::string text = patterned(350'000);
  service.plan("POST", "uploadId=", {Fault::lost_answer});
  testing::PiecesSource body({text});
  EXPECT_EQ((co_await store->put(ctx, self.ref("completed"), body)).size, text.size());
  EXPECT_EQ(service.seen(), 2u);
  EXPECT_TRUE(co_await get_text(ctx, *store, self.ref("completed")) == text);
  co_await store->close();
}

CO_TEST_F(S3InTrouble, LeavesNothingOfAnUploadThatFails) {
  const auto store = self.make();
  co_await put_text(ctx, *store, self.ref("kept"), "old");
  self.proxy->plan("PUT", "partNumber=3", std::vector<Fault>(20, kSlow));
  testing::PiecesSource body({patterned(900'000)});
  CO_EXPECT_ERROR(store->put(ctx, self.ref("kept"), body), ErrorCode::throttled);
  EXPECT_EQ(co_await get_text(ctx, *store, self.ref("kept")), "old");
  EXPECT_TRUE((co_await testing::open_uploads(ctx, *testing::moto_endpoint(), "faults")).empty());
  co_await store->close();
}

CO_TEST_F(S3InTrouble, RefusesAnEtagOfOtherBytes) {
  const auto store = self.make();
  self.proxy->plan("PUT", "/etag", {Fault::wrong_etag});
  io::StringSource body("x");
  CO_EXPECT_ERROR(store->put(ctx, self.ref("etag"), body), ErrorCode::unavailable);
  self.proxy->plan("PUT", "partNumber=", {Fault::none, Fault::wrong_etag});
  testing::PiecesSource large({patterned(500'000)});
  CO_EXPECT_ERROR(store->put(ctx, self.ref("etag2"), large), ErrorCode::unavailable);
  EXPECT_FALSE((co_await store->head(ctx, self.ref("etag2"))).has_value());
  co_await store->close();
}

/// A service that shows what it is sent to store, and damages the first of it. Thread-safe.
class Wire {
 public:
  std::string endpoint() const { return service_.endpoint(); }

  void damage(int puts) {
    const std::scoped_lock lock(mutex_);
    damaged_ = puts;
  }

  /// The only one; without a method if there was none, or more.
  testing::ServiceRequest only_put() const {
    const std::scoped_lock lock(mutex_);
    return puts_.size() == 1 ? puts_[0] : testing::ServiceRequest{};
  }

 private:
  Task<testing::ServiceAnswer> serve(Context& ctx, testing::ServiceRequest request) {
    if (request.method == "PUT" && !request.body.empty()) {
      const std::scoped_lock lock(mutex_);
      puts_.push_back(request);
      if (damaged_ > 0 && damaged_-- > 0) request.body[request.body.size() / 2] ^= 1;
    }
    return fake_.serve(ctx, std::move(request));
  }

  mutable std::mutex mutex_;
  int damaged_ = 0;
  std::vector<testing::ServiceRequest> puts_;
  testing::FakeService fake_;
  TroubledService service_{[this](Context& ctx, testing::ServiceRequest request) {
    return serve(ctx, std::move(request));
  }};
};

CO_TEST_F(S3InTrouble, StoresNoBodyThatWasDamagedOnTheWay) {
  Wire wire;
  co_await testing::make_bucket(ctx, wire.endpoint(), "faults");
  S3Config config = testing::s3_test_config(wire.endpoint());
  config.max_retries = 3;
  const auto store = testing::make_s3_store(config, self.pool);
  for (const std::size_t size : {10u, 200'000u}) {
    for (const bool digested : {false, true}) {
      const std::string text = patterned(size);
      Digests digests;
      const PutOptions options{.digests = digested ? &digests : nullptr};
      wire.damage(2);
      io::StringSource repeated(text);
      co_await store->put(ctx, self.ref("repeated"), repeated, options);
      EXPECT_TRUE(co_await get_text(ctx, *store, self.ref("repeated")) == text);
      wire.damage(100);
      Digests others;
      io::StringSource never(text);
      CO_EXPECT_ERROR(
          store->put(ctx, self.ref("never"), never, {.digests = digested ? &others : nullptr}),
          ErrorCode::unavailable);
      wire.damage(0);
      EXPECT_FALSE((co_await store->head(ctx, self.ref("never"))).has_value());
    }
  }
  co_await store->close();
}

CO_TEST_F(S3InTrouble, SendsABodyInMemoryAtOnceUnderOneDigest) {
  Wire wire;
  co_await testing::make_bucket(ctx, wire.endpoint(), "faults");
  S3Config config = testing::s3_test_config(wire.endpoint());
  config.part_bytes = 100'000;
  const auto store = testing::make_s3_store(config, self.pool);
  const std::string text = patterned(350'000);
  io::StringSource body(text);
  EXPECT_EQ((co_await store->put(ctx, self.ref("whole"), body)).size, text.size());
  const testing::ServiceRequest sent = wire.only_put();
  EXPECT_EQ(sent.header("x-amz-content-sha256"), to_hex(sha256(text)));
  EXPECT_FALSE(sent.header("content-md5"));
  EXPECT_TRUE(co_await get_text(ctx, *store, self.ref("whole")) == text);
  co_await store->close();
}

/// What the body's reader has computed is not computed again: the digest it claims is sent.
CO_TEST_F(S3InTrouble, SendsTheDigestsThatAreKnown) {
  Wire wire;
  co_await testing::make_bucket(ctx, wire.endpoint(), "faults");
  const auto store = testing::make_s3_store(testing::s3_test_config(wire.endpoint()), self.pool);
  const std::string text = patterned(90'000);
  Digests digests({.sha256 = true});
  testing::PiecesSource body({text.substr(0, 5), text.substr(5)}, true);
  co_await store->put(ctx, self.ref("known"), body, {.digests = &digests});
  const testing::ServiceRequest sent = wire.only_put();
  EXPECT_EQ(sent.header("x-amz-content-sha256"), to_hex(sha256(text)));
  EXPECT_EQ(sent.header("content-md5"), to_base64(md5(text)));
  co_await store->close();
}

CO_TEST_F(S3InTrouble, NeverRepeatsAStreamedPart) {
  S3Config config = testing::s3_test_config(self.proxy->endpoint());
  config.streamed_part_bytes = 1'000;
  const auto store = testing::make_s3_store(config, self.pool);
  const auto id = co_await store->create_multipart(ctx, self.ref("streamed"));
  for (const Fault fault : {kSlow, Fault::lost_answer}) {
    self.proxy->plan("PUT", "partNumber=", {fault});
    testing::PiecesSource body({patterned(200'000)}, true);
    std::optional<ErrorCode> seen;
    try {
      co_await store->upload_part(ctx, self.ref("streamed"), id, 1, body);
    } catch (const Error& error) {
      seen = error.code();
    }
    EXPECT_EQ(seen, fault == kSlow ? ErrorCode::throttled : ErrorCode::unavailable);
    EXPECT_EQ(self.proxy->seen(), 1u);
  }
  co_await store->abort_multipart(ctx, self.ref("streamed"), id);
  co_await store->close();
}

}  // namespace
}  // namespace tarn::block
