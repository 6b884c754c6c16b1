#include "http/wire.h"

#include <memory>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>

#include "io/sync.h"
#include "io/task_group.h"
#include "testing/co_test.h"

namespace tarn::http {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

/// A peer behind a full buffer: nothing can be written, but it may take what the buffer holds.
struct FullStream final : Stream {
  explicit FullStream(asio::any_io_executor executor) : forever(std::move(executor)) {}

  Task<boost::system::error_code> handshake() override { co_return boost::system::error_code{}; }

  Task<IoResult> read_some(asio::mutable_buffer) override {
    co_return IoResult{asio::error::eof, 0};
  }

  std::size_t write_now(std::span<const asio::const_buffer>) override { return 0; }

  Task<IoResult> write_some(std::span<const asio::const_buffer>) override {
    forever.expires_at(asio::steady_timer::time_point::max());
    const auto [error] = co_await forever.async_wait(asio::as_tuple(asio::use_awaitable));
    co_return IoResult{error, 0};
  }

  Task<IoResult> read_raw(asio::mutable_buffer into) override { return read_some(into); }

  bool is_tls() const override { return false; }

  bool is_quiet() const override { return true; }

  std::size_t unsent_bytes() const override { return unsent; }

  void cancel() override {
    cancelled = true;
    forever.cancel();
  }

  Task<boost::system::error_code> say_goodbye() override { return handshake(); }

  void shutdown_send() override {}

  void close() override { cancel(); }

  void reset() override { cancel(); }

  asio::steady_timer forever;
  std::size_t unsent = 1'000;
  bool cancelled = false;
};

Task<> run_writing(Wire& wire, WireEnd& end) {
  const asio::const_buffer piece("more", 4);
  end = co_await wire.write({&piece, 1}, milliseconds(5'000));
}

struct WireTest : ::testing::Test {
  Ticks ticks{.now = 0, .length = milliseconds(1'000)};
  WireEnd end = WireEnd::ok;
  io::TaskGroup group;
  FullStream* stream = nullptr;
  std::unique_ptr<Wire> wire;

  Task<> begin_writing() {
    const auto executor = co_await asio::this_coro::executor;
    auto made = std::make_unique<FullStream>(executor);
    stream = made.get();
    wire = std::make_unique<Wire>(std::move(made), ticks);
    group.spawn(executor, "writing", run_writing(*wire, end));
    co_await io::yield();
  }

  void tick() {
    ++ticks.now;
    wire->on_tick();
  }
};

CO_TEST_F(WireTest, APeerThatTakesNothingEndsAWriteAfterTheStallTimeout) {
  co_await self.begin_writing();
  for (int i = 0; i < 5; ++i) {
    self.tick();
    EXPECT_FALSE(self.stream->cancelled) << i;
  }
  for (int i = 0; i < 2; ++i)
    self.tick();
  EXPECT_TRUE(self.stream->cancelled);
  co_await self.group.join();
  EXPECT_EQ(self.end, WireEnd::timed_out);
}

CO_TEST_F(WireTest, APeerThatTakesALittleIsNotStalled) {
  co_await self.begin_writing();
  for (int i = 0; i < 100; ++i) {
    if (i % 4 == 0) --self.stream->unsent;
    self.tick();
    EXPECT_FALSE(self.stream->cancelled) << i;
  }
  for (int i = 0; i < 8; ++i)
    self.tick();
  EXPECT_TRUE(self.stream->cancelled) << "and then no more";
  co_await self.group.join();
  EXPECT_EQ(self.end, WireEnd::timed_out);
}

}  // namespace
}  // namespace tarn::http
