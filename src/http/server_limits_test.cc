#include <ctime>
#include <deque>
#include <latch>
#include <memory>
#include <string>
#include <thread>

#include <unistd.h>

#include <gtest/gtest.h>
#include <sys/resource.h>

#include "base/metrics.h"
#include "http/server.h"
#include "http/test_client.h"
#include "io/byte_source.h"
#include "io/sync.h"

namespace tarn::http {
namespace {

using std::chrono::milliseconds;
using testing::RunningServer;
using testing::TestClient;

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
// The interim answer proves that the handler is running and waits for the body.
constexpr std::string_view kWaiting =
    "PUT / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n";

Task<> read_then_answer(Context& ctx, Request& request, Response& response) {
  co_await response.send(ctx, co_await io::read_all(ctx, request.body(), 1'000));
}

TEST(Limits, SlowHeadsGet408) {
  ServerConfig config = testing::quick_config();
  config.header_timeout = milliseconds(40);
  RunningServer server(read_then_answer, config);
  TestClient client(server.port());
  const auto began = std::chrono::steady_clock::now();
  const auto response = client.ask("GET / HTTP/1.1\r\nHos");
  EXPECT_EQ(response.status, 408);
  EXPECT_EQ(response.header("Connection"), "close");
  EXPECT_TRUE(client.at_end());
  EXPECT_GE(std::chrono::steady_clock::now() - began, milliseconds(40));
}

TEST(Limits, DrippingHeadersDoNotBuyTime) {
  ServerConfig config = testing::quick_config();
  config.header_timeout = milliseconds(100);
  RunningServer server(read_then_answer, config);
  TestClient client(server.port());
  client.send("GET / HTTP/1.1\r\n");
  int drops = 0;
  while (client.silent_for(milliseconds(20)) && drops++ < 200)
    client.send("X: y\r\n");
  EXPECT_EQ(client.receive().status, 408);
  EXPECT_LT(drops, 100);
}

TEST(Limits, LargeHeadsGet431) {
  ServerConfig config = testing::quick_config();
  config.header_bytes_max = 2'000;
  RunningServer server(read_then_answer, config);
  TestClient client(server.port());
  const std::string fits =
      "GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(1'900, 'x') + "\r\n\r\n";
  EXPECT_EQ(client.ask(fits).status, 200);
  EXPECT_EQ(client.ask("GET / HTTP/1.1\r\nX: " + std::string(3'000, 'x')).status, 431);
  EXPECT_TRUE(client.at_end());
}

TEST(Limits, HeadsOfTheDefaultSizeFit) {
  RunningServer server(read_then_answer);
  TestClient client(server.port());
  const std::string target(30'000, 'p');
  for (int i = 0; i < 2; ++i)
    EXPECT_EQ(client.ask("GET /" + target + " HTTP/1.1\r\nHost: h\r\n\r\n").status, 200);
}

TEST(Limits, IdleConnectionsAreClosed) {
  ServerConfig config = testing::quick_config();
  config.idle_timeout = milliseconds(40);
  RunningServer server(read_then_answer, config);
  TestClient fresh(server.port());
  TestClient used(server.port());
  EXPECT_EQ(used.ask(kGet).status, 200);
  EXPECT_TRUE(fresh.at_end());
  EXPECT_TRUE(used.at_end());
}

TEST(Limits, ConnectionsBeyondTheLimitWait) {
  ServerConfig config = testing::quick_config();
  config.connections_max = 2;
  RunningServer server(read_then_answer, config);
  auto first = std::make_unique<TestClient>(server.port());
  TestClient second(server.port());
  EXPECT_EQ(first->ask(kGet).status, 200);
  EXPECT_EQ(second.ask(kGet).status, 200);
  TestClient third(server.port());
  third.send(kGet);
  EXPECT_TRUE(third.silent_for(milliseconds(50)));
  first.reset();
  EXPECT_EQ(third.receive().status, 200);
  EXPECT_EQ(second.ask(kGet).status, 200);
}

/// Leaves this process room for exactly one more descriptor while it exists.
class OneDescriptorLeft {
 public:
  OneDescriptorLeft() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const int lowest = ::dup(0);
    ::close(lowest);
    const rlimit tight{.rlim_cur = static_cast<rlim_t>(lowest) + 1, .rlim_max = before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &tight);
  }

  ~OneDescriptorLeft() { ::setrlimit(RLIMIT_NOFILE, &before_); }

  OneDescriptorLeft(const OneDescriptorLeft&) = delete;
  OneDescriptorLeft& operator=(const OneDescriptorLeft&) = delete;

 private:
  rlimit before_{};
};

TEST(Limits, RunningOutOfDescriptorsIsWaitedOutWithoutSpinning) {
#if __has_feature(address_sanitizer)
  GTEST_SKIP() << "the undefined-behaviour sanitizer probes memory through descriptors of its own";
#endif
  RunningServer server(read_then_answer);
  auto scarcity = std::make_unique<OneDescriptorLeft>();
  TestClient client(server.port());  // takes the last one, so accept() fails
  client.send(kGet);
  const std::clock_t began = std::clock();
  EXPECT_TRUE(client.silent_for(milliseconds(250)));
  EXPECT_LT(std::clock() - began, CLOCKS_PER_SEC / 10);
  scarcity.reset();
  EXPECT_EQ(client.receive().status, 200);
}

TEST(Stop, LetsRequestsInFlightFinish) {
  RunningServer server(read_then_answer, testing::quick_config(), 2);
  TestClient idle(server.port());
  EXPECT_EQ(idle.ask(kGet).status, 200);
  TestClient fresh(server.port());
  TestClient busy(server.port());
  EXPECT_EQ(busy.ask(kWaiting).status, 100);
  while (metrics::gauge("tarn_http_connections", "").value() < 3)
    std::this_thread::yield();
  std::thread stopper([&] { server.stop(); });
  EXPECT_TRUE(idle.at_end());
  EXPECT_TRUE(fresh.at_end());
  const auto response = busy.ask("done");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "done");
  EXPECT_EQ(response.header("Connection"), "close");
  EXPECT_TRUE(busy.at_end());
  stopper.join();
  EXPECT_ANY_THROW(TestClient{server.port()});
}

TEST(Stop, AnswersWhatWaitsInTheListenQueue) {
  std::latch blocked(1);
  std::latch go_on(1);
  // Holds its only loop, so that whoever connects stays in the queue until the server stops.
  const auto hold_loop = [&](Context& ctx, Request& request, Response& response) -> Task<> {
    if (request.raw_path() == "/hold") {
      blocked.count_down();
      go_on.wait();
    }
    return read_then_answer(ctx, request, response);
  };
  RunningServer server(hold_loop);
  TestClient busy(server.port());
  busy.send("GET /hold HTTP/1.1\r\nHost: h\r\n\r\n");
  blocked.wait();
  std::deque<TestClient> waiting;
  for (int i = 0; i < 20; ++i)
    EXPECT_TRUE(waiting.emplace_back(server.port()).send(kGet));
  std::thread stopper([&] { server.stop(); });
  go_on.count_down();
  EXPECT_EQ(busy.receive().status, 200);
  for (TestClient& client : waiting) {
    EXPECT_EQ(client.receive().status, 200);
    EXPECT_TRUE(client.at_end());
  }
  stopper.join();
}

TEST(Stop, CutsWhatIsLeftAfterTheGracePeriod) {
  ServerConfig config = testing::quick_config();
  config.shutdown_grace = milliseconds(30);
  RunningServer server(read_then_answer, config, 2);
  TestClient busy(server.port());
  EXPECT_EQ(busy.ask(kWaiting).status, 100);
  server.stop();
  EXPECT_FALSE(busy.receive().complete);
}

Task<> sleep_long(Context&, Request&, Response&) {
  co_await io::sleep(std::chrono::hours(1));
}

TEST(Stop, CancelsHandlersThatWaitForSomethingElse) {
  ServerConfig config = testing::quick_config();
  config.shutdown_grace = milliseconds(30);
  RunningServer server(sleep_long, config);
  TestClient busy(server.port());
  busy.send(kGet);
  EXPECT_TRUE(busy.silent_for(milliseconds(20)));
  server.stop();
  EXPECT_FALSE(busy.receive().complete);
}

TEST(Stop, MayComeTwiceOrAtOnce) {
  RunningServer server(read_then_answer);
  server.stop();
  server.stop();
}

TEST(Metrics, CountByMethodAndStatusClass) {
  RunningServer server(read_then_answer);
  const metrics::Counter& puts =
      metrics::counter("tarn_http_requests_total", "", {{"method", "PUT"}, {"status", "2xx"}});
  const metrics::Counter& others =
      metrics::counter("tarn_http_requests_total", "", {{"method", "other"}, {"status", "2xx"}});
  const metrics::Gauge& open = metrics::gauge("tarn_http_connections", "");
  const std::uint64_t puts_before = puts.value();
  const std::uint64_t others_before = others.value();
  TestClient client(server.port());
  EXPECT_EQ(client.ask(kWaiting).status, 100);
  EXPECT_EQ(open.value(), 1);
  EXPECT_EQ(metrics::gauge("tarn_http_requests_in_flight", "").value(), 1);
  client.ask("done");
  client.ask("BREW / HTTP/1.1\r\nHost: h\r\n\r\n");
  server.stop();
  EXPECT_EQ(puts.value(), puts_before + 1);
  EXPECT_EQ(others.value(), others_before + 1);
  EXPECT_EQ(open.value(), 0);
  EXPECT_EQ(metrics::gauge("tarn_http_requests_in_flight", "").value(), 0);
}

}  // namespace
}  // namespace tarn::http
