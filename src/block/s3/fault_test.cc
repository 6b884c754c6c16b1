// A service in trouble: between the store and moto stands a server that breaks what it is told to.
#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/hash.h"
#include "block/s3/moto.h"
#include "block/testing/bodies.h"
#include "block/testing/object_store_suite.h"
#include "http/testing/local_server.h"
#include "io/sync.h"
#include "testing/co_test.h"

namespace tarn::block {
namespace {

using http::Request;
using http::Response;
using testing::get_text;
using testing::patterned;
using testing::put_text;

enum class Fault {
  none,
  slow_down,       // 503 with S3's document
  internal_error,  // 500 without one
  half_body,       // the answer breaks off in the middle
  lost_answer,     // the service does it, and its answer is lost
  wrong_etag,      // the service says it kept other bytes
  silence,         // no answer before the deadline
};

/// Breaks off after the first half.
class HalfSource final : public io::ByteSource {
 public:
  explicit HalfSource(std::string bytes) : bytes_(std::move(bytes)) {}

  Task<std::string_view> read(Context&) override {
    if (std::exchange(sent_, true)) throw Error(ErrorCode::cancelled, "broken on purpose");
    co_return std::string_view(bytes_).substr(0, bytes_.size() / 2);
  }

  std::optional<std::uint64_t> size() const override { return bytes_.size(); }

 private:
  std::string bytes_;
  bool sent_ = false;
};

class Proxy {
 public:
  /// Its connections live on the server's loops, which end first.
  ~Proxy() {
    tarn::testing::run_co([this] { return client_.close(); });
  }

  /// The fault of request n (from 0) that `matches`; none after the list.
  void plan(std::string method, std::string part_of_target, std::vector<Fault> faults) {
    const std::scoped_lock lock(mutex_);
    method_ = std::move(method);
    part_of_target_ = std::move(part_of_target);
    faults_ = std::move(faults);
    seen_ = 0;
  }

  /// Requests since plan() that it was about.
  std::size_t seen() {
    const std::scoped_lock lock(mutex_);
    return seen_;
  }

  std::string endpoint() const { return server_.endpoint().origin(); }

 private:
  Fault next(const Request& request) {
    const std::scoped_lock lock(mutex_);
    if (request.method() != method_) return Fault::none;
    if (request.target().find(part_of_target_) == std::string_view::npos) return Fault::none;
    const std::size_t number = seen_++;
    return number < faults_.size() ? faults_[number] : Fault::none;
  }

  Task<> handle(Context& ctx, Request& request, Response& response) {
    const Fault fault = next(request);
    const std::string body = co_await io::read_all(ctx, request.body(), 64 << 20);
    if (fault == Fault::slow_down || fault == Fault::internal_error) {
      response.set_status(fault == Fault::slow_down ? 503 : 500);
      co_return co_await response.send(
          ctx, fault == Fault::slow_down ? "<Error><Code>SlowDown</Code></Error>" : "");
    }
    if (fault == Fault::silence) co_await io::sleep(std::chrono::seconds(2));
    http::ClientRequest out{.method = std::string(request.method()),
                            .endpoint = http::parse_url(*testing::moto_endpoint())->endpoint,
                            .target = std::string(request.target()),
                            .body = body};
    for (const auto& [name, value] : request.headers()) {
      if (name != "Host" && name != "Content-Length" && name != "Expect") {
        out.headers.emplace_back(name, value);
      }
    }
    auto answer = co_await client_.send(ctx, std::move(out));
    response.set_status(answer.status());
    for (const auto& [name, value] : answer.headers()) {
      if (name == "ETag" && fault == Fault::wrong_etag) {
        response.add_header(name, "\"00000000000000000000000000000000\"");
      } else if (name != "Content-Length" && name != "Connection" && name != "Date" &&
                 name != "Transfer-Encoding") {
        response.add_header(name, value);
      }
    }
    if (request.method() == "HEAD") {
      co_return co_await response.send_head_only(ctx, answer.content_length().value_or(0));
    }
    const std::string text = co_await answer.read_all(ctx, 64 << 20);
    if (fault == Fault::lost_answer || fault == Fault::half_body) {
      HalfSource half(text.empty() ? "lost" : text);
      co_return co_await response.send_stream(ctx, half);
    }
    co_await response.send(ctx, text);
  }

  std::mutex mutex_;
  std::string method_, part_of_target_;
  std::vector<Fault> faults_;
  std::size_t seen_ = 0;
  http::Client client_;
  http::testing::LocalServer server_{[this](Context& ctx, Request& request, Response& response) {
    return handle(ctx, request, response);
  }};
};

class S3InTrouble : public ::testing::Test {
 public:
  void SetUp() override {
    TARN_NEEDS_MOTO();
    proxy = std::make_unique<Proxy>();
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
  std::unique_ptr<Proxy> proxy;
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

CO_TEST_F(S3InTrouble, LeavesNothingOfAnUploadThatFails) {
  const auto store = self.make();
  co_await put_text(ctx, *store, self.ref("kept"), "old");
  self.proxy->plan("PUT", "partNumber=3", std::vector<Fault>(20, kSlow));
  testing::PiecesSource body({patterned(900'000)});
  CO_EXPECT_ERROR(store->put(ctx, self.ref("kept"), body), ErrorCode::throttled);
  EXPECT_EQ(co_await get_text(ctx, *store, self.ref("kept")), "old");
  http::Client client;
  auto uploads =
      co_await client.send(ctx, {.endpoint = http::parse_url(*testing::moto_endpoint())->endpoint,
                                 .target = "/faults?uploads="});
  const std::string left = co_await uploads.read_all(ctx, 1 << 20);
  EXPECT_EQ(left.find("space/kept"), std::string::npos) << left;
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
