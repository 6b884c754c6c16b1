#include "http/client_connection.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/error.h"
#include "base/format.h"
#include "http/socket_stream.h"
#include "io/await_callback.h"

namespace tarn::http {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using Endpoints = std::vector<tcp::endpoint>;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

/// A look-up runs in a thread of the system's and cannot be ended: the first of it and the timer
/// wins, and what comes second finds nobody waiting.
struct LookUp {
  struct Result {
    error_code error;
    Endpoints endpoints;
  };

  explicit LookUp(const asio::any_io_executor& executor) : resolver(executor), timer(executor) {}

  void finish(Result result) {
    if (!done) return;
    timer.cancel();
    resolver.cancel();
    auto call = std::exchange(done, nullptr);
    call(nullptr, std::move(result));
  }

  tcp::resolver resolver;
  asio::steady_timer timer;
  io::Callback<Result> done;
};

void start_look_up(const std::shared_ptr<LookUp>& look_up, const std::string& host,
                   std::uint16_t port, Watch::Time due) {
  look_up->timer.expires_at(due);
  look_up->timer.async_wait([look_up](const error_code& error) {
    if (!error) look_up->finish({.error = asio::error::timed_out, .endpoints = {}});
  });
  look_up->resolver.async_resolve(
      host, std::to_string(port),
      [look_up](const error_code& error, const tcp::resolver::results_type& found) {
        LookUp::Result result{.error = error, .endpoints = {}};
        for (const auto& entry : found)
          result.endpoints.push_back(entry.endpoint());
        look_up->finish(std::move(result));
      });
}

Task<Endpoints> resolve(Context& ctx, const Endpoint& endpoint, Watch::Time due) {
  error_code no_address;
  const auto literal = asio::ip::make_address(endpoint.host, no_address);
  if (!no_address) co_return Endpoints{{literal, endpoint.port}};
  const auto look_up = std::make_shared<LookUp>(co_await asio::this_coro::executor);
  const auto result = co_await io::await_callback<LookUp::Result>(
      [look_up, host = endpoint.host, port = endpoint.port, due](io::Callback<LookUp::Result> d) {
        look_up->done = std::move(d);
        start_look_up(look_up, host, port, due);
      });
  if (result.error || result.endpoints.empty()) {
    throw_unreachable(ctx, endpoint, "cannot resolve the name: " + result.error.message());
  }
  co_return result.endpoints;
}

Task<tcp::socket> connect(Context& ctx, const Endpoint& endpoint, Watch::Time due) {
  const auto executor = co_await asio::this_coro::executor;
  const Endpoints endpoints = co_await resolve(ctx, endpoint, due);
  error_code last;
  for (const tcp::endpoint& one : endpoints) {
    tcp::socket socket(executor);
    Watch watch(executor, [&socket] {
      error_code ignored;
      socket.cancel(ignored);
    });
    watch.arm(due);
    const auto [error] = co_await socket.async_connect(one, kAwait);
    if (!error) {
      error_code ignored;
      socket.set_option(tcp::no_delay(true), ignored);
      co_return socket;
    }
    if (watch.overdue()) throw_unreachable(ctx, endpoint, "no connection in time");
    if (error == asio::error::operation_aborted) throw boost::system::system_error(error);
    last = error;
  }
  throw_unreachable(ctx, endpoint, "cannot connect: " + last.message());
}

}  // namespace

Watch::Time due_within(const Context& ctx, std::chrono::milliseconds timeout) {
  return std::min(ctx.deadline(), std::chrono::steady_clock::now() + timeout);
}

void throw_unreachable(const Context& ctx, const Endpoint& endpoint, std::string_view why) {
  if (ctx.expired()) {
    throw Error(ErrorCode::deadline_exceeded,
                format("deadline exceeded waiting for {}", endpoint.authority()));
  }
  throw Error(ErrorCode::unavailable, format("{}: {}", endpoint.authority(), why));
}

ClientConnection::ClientConnection(std::unique_ptr<Stream> stream,
                                   const asio::any_io_executor& executor)
    : stream_(std::move(stream)), watch_(executor, [raw = stream_.get()] { raw->cancel(); }) {}

Task<std::unique_ptr<ClientConnection>> ClientConnection::open(Context& ctx,
                                                               const Endpoint& endpoint,
                                                               TlsSnapshot tls, Watch::Time due) {
  const auto executor = co_await asio::this_coro::executor;
  tcp::socket socket = co_await connect(ctx, endpoint, due);
  auto connection = std::make_unique<ClientConnection>(
      make_client_stream(std::move(socket), std::move(tls), endpoint.host), executor);
  connection->watch_.arm(due);
  const error_code error = co_await connection->stream_->handshake();
  connection->watch_.disarm();
  if (connection->watch_.overdue()) throw_unreachable(ctx, endpoint, "no TLS handshake in time");
  if (error == asio::error::operation_aborted) throw boost::system::system_error(error);
  if (error) throw_unreachable(ctx, endpoint, "TLS handshake failed: " + error.message());
  co_return connection;
}

Task<ClientConnection::End> ClientConnection::write(Context& ctx,
                                                    std::span<const asio::const_buffer> pieces,
                                                    std::chrono::milliseconds timeout) {
  std::array<asio::const_buffer, Stream::kPiecesMax> left;
  std::size_t count = 0;
  for (const asio::const_buffer& piece : pieces) {
    if (piece.size() > 0) left.at(count++) = piece;
  }
  std::size_t first = 0;
  const auto advance = [&](std::size_t bytes) {
    for (; first < count && bytes >= left[first].size(); ++first)
      bytes -= left[first].size();
    if (first < count) left[first] += bytes;
  };
  // Most requests fit into the socket: no operation is started then, and nothing waited for.
  advance(stream_->write_now(std::span(left).first(count), More::none));
  while (first < count) {
    watch_.arm(due_within(ctx, timeout));
    const auto [error, bytes] =
        co_await stream_->write_some(std::span(left).subspan(first, count - first));
    watch_.disarm();
    if (error && watch_.overdue()) co_return End::timed_out;
    if (error == asio::error::operation_aborted) throw boost::system::system_error(error);
    if (error) co_return End::closed;
    advance(bytes);
  }
  co_return End::ok;
}

Task<ClientConnection::Read> ClientConnection::read_some(Watch::Time due, std::span<char> into) {
  watch_.arm(due);
  const auto [error, bytes] =
      co_await stream_->read_some(asio::mutable_buffer(into.data(), into.size()));
  watch_.disarm();
  if (bytes > 0) co_return Read{.bytes = bytes};
  if (error && watch_.overdue()) co_return Read{.end = End::timed_out};
  if (error == asio::error::operation_aborted) throw boost::system::system_error(error);
  co_return Read{.end = End::closed, .clean = error == asio::error::eof};
}

}  // namespace tarn::http
