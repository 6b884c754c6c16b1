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

  std::size_t write_now(std::span<const asio::const_buffer>, More) override { return 0; }

  int lend() const override { return 7; }

  Task<boost::system::error_code> wait_for_room() override {
    co_return std::get<0>(co_await write_some({}));
  }

  void shut_down() override { shut = true; }

  Task<IoResult> write_some(std::span<const asio::const_buffer>) override {
    waiting = true;
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

  void close() override {
    closed = true;
    cancel();
  }

  void reset() override { cancel(); }

  asio::steady_timer forever;
  std::size_t unsent = 1'000;
  bool cancelled = false;
  bool waiting = false;
  bool shut = false;
  bool closed = false;
};

/// Sends nothing; the first turn lasts until it is let go.
struct HeldSource final : io::ByteSource {
  explicit HeldSource(asio::any_io_executor executor) : held(std::move(executor)) {
    held.expires_at(asio::steady_timer::time_point::max());
  }

  Task<std::string_view> read(Context&) override { co_return std::string_view(); }

  bool can_send() const override { return true; }

  Task<io::Sent> send_some(Context&, int socket) override {
    seen = socket;
    co_await held.async_wait(asio::as_tuple(asio::use_awaitable));
    co_return io::Sent{.stop = io::Sent::Stop::full};
  }

  std::optional<std::uint64_t> size() const override { return 1'000; }

  asio::steady_timer held;
  int seen = -1;
};

Task<> run_writing(Wire& wire, WireEnd& end) {
  const asio::const_buffer piece("more", 4);
  end = co_await wire.write({&piece, 1}, milliseconds(5'000));
}

Task<> run_sending(Wire& wire, io::ByteSource& source, WireEnd& end) {
  Context ctx;
  end = (co_await wire.send(ctx, source, milliseconds(5'000))).end;
}

struct WireTest : ::testing::Test {
  Ticks ticks{.now = 0, .length = milliseconds(1'000)};
  WireEnd end = WireEnd::ok;
  io::TaskGroup group;
  FullStream* stream = nullptr;
  std::unique_ptr<Wire> wire;
  std::unique_ptr<HeldSource> source;

  void open(const asio::any_io_executor& executor) {
    auto made = std::make_unique<FullStream>(executor);
    stream = made.get();
    wire = std::make_unique<Wire>(std::move(made), ticks);
  }

  Task<> begin_sending() {
    const auto executor = co_await asio::this_coro::executor;
    open(executor);
    source = std::make_unique<HeldSource>(executor);
    group.spawn(executor, "sending", run_sending(*wire, *source, end));
    co_await io::yield();
  }

  Task<> begin_writing() {
    const auto executor = co_await asio::this_coro::executor;
    open(executor);
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

CO_TEST_F(WireTest, ASocketIsNotClosedWhileASourceMayUseIt) {
  co_await self.begin_sending();
  EXPECT_EQ(self.source->seen, 7);
  self.wire->close();
  EXPECT_TRUE(self.stream->shut);
  EXPECT_FALSE(self.stream->closed) << "another connection could get its number";
  self.source->held.cancel();
  co_await self.group.join();
  EXPECT_EQ(self.end, WireEnd::closed);
  self.wire->close();
  EXPECT_TRUE(self.stream->closed);
}

CO_TEST_F(WireTest, APeerThatTakesNothingEndsASendAfterTheStallTimeout) {
  co_await self.begin_sending();
  for (int i = 0; i < 100; ++i)
    self.tick();
  EXPECT_FALSE(self.stream->cancelled) << "the source's time is not the peer's";
  self.source->held.cancel();
  while (!self.stream->waiting)
    co_await io::yield();
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

}  // namespace
}  // namespace tarn::http
