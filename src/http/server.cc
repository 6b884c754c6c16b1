#include "http/server.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <utility>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/error.h"
#include "base/log.h"
#include "http/connection.h"
#include "http/listener.h"
#include "http/loop_state.h"
#include "http/socket_stream.h"
#include "http/tls.h"
#include "io/task_group.h"

namespace tarn::http {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using std::chrono::milliseconds;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr milliseconds kAcceptBackoff{100};  // out of descriptors, most likely
constexpr milliseconds kFullRecheck{1'000};  // in case a wake-up got lost

milliseconds tick_length(const ServerConfig& config) {
  const milliseconds shortest =
      std::min({config.header_timeout, config.idle_timeout, config.stall_timeout});
  return std::clamp(shortest / 4, milliseconds{5}, milliseconds{1'000});
}

/// A loop's part of the server. But for `full`, used on the loop only.
struct Lane {
  Lane(tcp::acceptor listening, const ServerConfig& config, Handler& handler,
       const std::atomic<bool>& draining, ServerMetrics& metrics)
      : executor(listening.get_executor()),
        acceptor(std::move(listening)),
        gate(executor),
        loop{.config = config,
             .handler = handler,
             .draining = draining,
             .metrics = metrics,
             .ticks = {.now = 0, .length = tick_length(config)},
             .connections = {},
             .ids = {},
             .date = {},
             .gathering = {}} {}

  asio::any_io_executor executor;
  tcp::acceptor acceptor;
  asio::steady_timer gate;         // the accept loop waits here while it may not accept
  std::atomic<bool> full = false;  // it waits because of connections_max
  LoopState loop;
};

}  // namespace

/// Shared by the server's coroutines and by what they post: the last to go frees it.
struct Server::Impl : std::enable_shared_from_this<Impl> {
  Impl(ServerConfig c, io::Loops& l, Handler& h) : config(std::move(c)), loops(l), handler(h) {}

  const ServerConfig config;
  io::Loops& loops;
  Handler& handler;
  ServerMetrics metrics;
  TlsKeeper tls;
  std::atomic<bool> draining = false;
  std::atomic<std::uint32_t> open = 0;  // connections
  std::uint16_t port = 0;
  std::deque<Lane> lanes;
  io::TaskGroup accepting;
  io::TaskGroup serving;
  io::TaskGroup sweeping;

  /// Runs `work(lane)` on every lane's loop, some time soon.
  template <class Work>
  void on_each_lane(Work work);

  Task<> run_accepting(Lane& lane);
  Task<> run_sweeping(Lane& lane);
  Task<> run_connection(Lane& lane, std::unique_ptr<Stream> stream, std::string remote_address);
  void start_connection(Lane& lane, tcp::socket socket);
  void accept_waiting(Lane& lane);
  void connection_ended();
  Task<> wait_at_gate(Lane& lane, milliseconds most);
  void cut_all();
};

template <class Work>
void Server::Impl::on_each_lane(Work work) {
  for (Lane& lane : lanes)
    asio::post(lane.executor, [self = shared_from_this(), &lane, work] { work(lane); });
}

Task<> Server::Impl::wait_at_gate(Lane& lane, milliseconds most) {
  lane.gate.expires_after(most);
  static_cast<void>(co_await lane.gate.async_wait(kAwait));
}

// Each lane looks before it accepts, so the limit may be passed by one connection per further lane.
Task<> Server::Impl::run_accepting(Lane& lane) {
  while (!draining) {
    if (open >= config.connections_max) {
      lane.full = true;
      if (open >= config.connections_max) co_await wait_at_gate(lane, kFullRecheck);
      lane.full = false;
      continue;
    }
    auto [error, socket] = co_await lane.acceptor.async_accept(lane.executor, kAwait);
    if (!error) {
      start_connection(lane, std::move(socket));
    } else if (error != asio::error::operation_aborted && !draining &&
               error != asio::error::connection_aborted) {
      log::warn("accept failed", {{"error", error.message()}});
      co_await wait_at_gate(lane, kAcceptBackoff);
    }
  }
  // Here, so that stop() does not end what serves before the last connection has come to it.
  accept_waiting(lane);
  boost::system::error_code ignored;
  lane.acceptor.close(ignored);
}

void Server::Impl::start_connection(Lane& lane, tcp::socket socket) {
  boost::system::error_code error;
  const tcp::endpoint peer = socket.remote_endpoint(error);
  if (error) return;  // it has gone again
  socket.set_option(tcp::no_delay(true), error);
  socket.set_option(tcp::socket::keep_alive(true), error);
  ++open;
  auto stream = make_stream(std::move(socket), tls.current());
  if (!serving.spawn(lane.executor, "http connection",
                     run_connection(lane, std::move(stream), address_text(peer)))) {
    connection_ended();
  }
}

/// What has connected already was told that it is being served: a closed listener would reset it.
void Server::Impl::accept_waiting(Lane& lane) {
  boost::system::error_code error;
  lane.acceptor.non_blocking(true, error);
  while (!error && open < config.connections_max) {
    tcp::socket socket = lane.acceptor.accept(lane.executor, error);
    if (!error) start_connection(lane, std::move(socket));
  }
}

Task<> Server::Impl::run_connection(Lane& lane, std::unique_ptr<Stream> stream,
                                    std::string remote_address) {
  struct Count {
    Impl& impl;

    ~Count() { impl.connection_ended(); }
  };

  const Count count{*this};
  Connection connection(lane.loop, std::move(stream), std::move(remote_address));
  co_await connection.run();
}

void Server::Impl::connection_ended() {
  --open;
  for (Lane& lane : lanes) {
    if (!lane.full.exchange(false)) continue;
    asio::post(lane.executor, [self = shared_from_this(), &lane] { lane.gate.cancel(); });
  }
}

Task<> Server::Impl::run_sweeping(Lane& lane) {
  asio::steady_timer timer(lane.executor);
  for (;;) {
    timer.expires_after(lane.loop.ticks.length);
    co_await timer.async_wait(asio::use_awaitable);
    ++lane.loop.ticks.now;
    for (Connection* connection : lane.loop.connections)
      connection->on_tick();
  }
}

void Server::Impl::cut_all() {
  log::warn("cutting connections after the grace period", {{"connections", open.load()}});
  serving.cancel();
  on_each_lane([](Lane& lane) {
    for (Connection* connection : lane.loop.connections)
      connection->cut();
  });
}

Server::Server(ServerConfig config, io::Loops& loops, Handler& handler)
    : impl_(std::make_shared<Impl>(std::move(config), loops, handler)) {}

Server::~Server() = default;

void Server::start() {
  TARN_ASSERT(impl_->lanes.empty());
  if (impl_->config.tls) impl_->tls.replace(load_tls(*impl_->config.tls));
  std::vector<asio::any_io_executor> executors;
  for (std::size_t i = 0; i < impl_->loops.size(); ++i)
    executors.push_back(impl_->loops.executor(i));
  auto acceptors = listen_on(parse_listen_address(impl_->config.listen_address), executors);
  impl_->port = acceptors.front().local_endpoint().port();
  for (tcp::acceptor& acceptor : acceptors)
    impl_->lanes.emplace_back(std::move(acceptor), impl_->config, impl_->handler, impl_->draining,
                              impl_->metrics);
  for (Lane& lane : impl_->lanes) {
    impl_->sweeping.spawn(lane.executor, "http deadline sweep", impl_->run_sweeping(lane));
    impl_->accepting.spawn(lane.executor, "http accept", impl_->run_accepting(lane));
  }
}

std::uint16_t Server::port() const {
  return impl_->port;
}

void Server::reload_tls() {
  if (impl_->config.tls) impl_->tls.replace(load_tls(*impl_->config.tls));
}

Task<> Server::stop() {
  const std::shared_ptr<Impl> impl = impl_;
  if (impl->draining.exchange(true)) co_return;
  impl->on_each_lane([](Lane& lane) {
    boost::system::error_code ignored;
    lane.acceptor.cancel(ignored);
    lane.gate.cancel();
    for (Connection* connection : lane.loop.connections)
      connection->drain();
  });
  co_await impl->accepting.join();
  asio::steady_timer grace(co_await asio::this_coro::executor, impl->config.shutdown_grace);
  grace.async_wait([impl](const boost::system::error_code& error) {
    if (!error) impl->cut_all();
  });
  co_await impl->serving.join();
  grace.cancel();
  impl->sweeping.cancel();
  co_await impl->sweeping.join();
}

}  // namespace tarn::http
