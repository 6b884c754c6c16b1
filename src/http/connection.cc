#include "http/connection.h"

#include <array>
#include <exception>
#include <utility>

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include "base/error.h"
#include "base/log.h"

namespace tarn::http {

namespace {

constexpr std::chrono::milliseconds kLingerTime{5'000};
constexpr std::chrono::milliseconds kGoodbyeTime{1'000};     // for TLS's word of it
constexpr std::chrono::milliseconds kFirstRequestTime{500};  // while the server stops
constexpr std::uint64_t kLingerBytesMax = 64 * 1024 * 1024;

class InFlight {
 public:
  explicit InFlight(metrics::Gauge& gauge) : gauge_(gauge) { gauge_.add(1); }

  ~InFlight() { gauge_.add(-1); }

  InFlight(const InFlight&) = delete;
  InFlight& operator=(const InFlight&) = delete;

 private:
  metrics::Gauge& gauge_;
};

}  // namespace

void ServerRequest::reset(std::string_view id) {
  id_ = id;
  query_.reset();
}

const std::vector<QueryParam>& ServerRequest::query() const {
  if (!query_) query_ = parse_query(raw_query());
  return *query_;
}

std::vector<std::pair<std::string_view, std::string_view>> ServerRequest::headers() const {
  std::vector<std::pair<std::string_view, std::string_view>> all;
  all.reserve(head_.fields.size());
  for (const HeadField& one : head_.fields)
    all.emplace_back(one.name, one.value);
  return all;
}

Connection::Connection(LoopState& loop, std::unique_ptr<Stream> stream, std::string remote_address)
    : loop_(loop),
      remote_address_(std::move(remote_address)),
      wire_(std::move(stream), loop.ticks),
      body_(wire_, input_, loop),
      response_(wire_, body_, loop),
      request_(head_, body_, remote_address_, wire_.is_tls()) {
  loop_.connections.insert(this);
  loop_.metrics.connections.add(1);
}

Connection::~Connection() {
  count_bytes();
  loop_.metrics.connections.add(-1);
  loop_.connections.erase(this);
}

void Connection::drain() {
  if (!idle_) return;
  if (is_new_) {
    wire_.arm(kFirstRequestTime);
  } else {
    wire_.interrupt();
  }
}

Task<> Connection::run() {
  wire_.arm(loop_.config.header_timeout);
  const WireEnd ready = co_await wire_.handshake();
  wire_.disarm();
  if (ready != WireEnd::ok) co_return;
  Next next = Next::serve_again;
  while (next == Next::serve_again) {
    next = co_await serve_one();
    count_bytes();
  }
  if (next == Next::reset) wire_.reset();
  if (next == Next::linger) co_await linger();
  if (next == Next::close) co_await close();
  wire_.close();
}

Task<bool> Connection::await_request() {
  input_.consume(leading_empty_lines(input_.data()));
  wire_.arm(loop_.config.idle_timeout);
  while (input_.empty()) {
    if (loop_.draining.load(std::memory_order_relaxed)) {
      // A client may expect an end between requests, but not in place of its first answer.
      if (!is_new_) co_return false;
      wire_.arm(kFirstRequestTime);
    }
    idle_ = true;
    const std::span<char> room = input_.prepare();
    const WireRead got = co_await wire_.read_some(room);
    idle_ = false;
    if (got.end != WireEnd::ok) co_return false;
    input_.commit(got.bytes);
    input_.consume(leading_empty_lines(input_.data()));
  }
  co_return true;
}

Task<std::expected<std::optional<std::size_t>, HeadError>> Connection::read_head() {
  HeadScanner scanner;
  wire_.arm(loop_.config.header_timeout);
  for (;;) {
    auto length = scanner.scan(input_.data(), loop_.config.header_bytes_max);
    if (!length || *length) {
      wire_.disarm();
      co_return length;
    }
    const std::span<char> room = input_.prepare();
    const WireRead got = co_await wire_.read_some(room);
    if (got.end == WireEnd::timed_out) {
      co_return std::unexpected(HeadError{408, "request head took too long"});
    }
    if (got.end == WireEnd::closed) co_return std::nullopt;
    input_.commit(got.bytes);
  }
}

Task<Connection::Next> Connection::serve_one() {
  if (!co_await await_request()) co_return Next::hang_up;
  is_new_ = false;
  const auto length = co_await read_head();
  if (!length) co_return co_await refuse(length.error());
  if (!*length) co_return Next::hang_up;
  const auto parsed = parse_head(input_.data().substr(0, **length), head_);
  if (!parsed) co_return co_await refuse(parsed.error());
  input_.consume(**length);
  co_return co_await answer();
}

Task<Connection::Next> Connection::refuse(HeadError error) {
  loop_.metrics.refused.add();
  log::debug("request refused", {{"status", error.status}, {"reason", error.reason}});
  Context ctx;
  const RequestHead unknown;
  body_.reset(unknown);
  response_.reset(unknown);
  try {
    co_await response_.send_plain(ctx, error.status, error.reason);
  } catch (const Error&) {
    co_return Next::hang_up;  // it did not wait for the answer
  }
  co_return Next::linger;
}

Task<Connection::HandlerEnd> Connection::run_handler(Context& ctx) {
  try {
    co_await loop_.handler.handle(ctx, request_, response_);
    co_return HandlerEnd::returned;
  } catch (const Error& e) {
    if (e.code() == ErrorCode::cancelled) co_return HandlerEnd::cancelled;
    if (body_.failure() == RequestBody::Failure::malformed) co_return HandlerEnd::failed;
    log::write(log::Level::error, ctx, "request failed",
               {{"code", to_string(e.code())}, {"error", e.message()}});
  } catch (const boost::system::system_error& e) {
    if (e.code() == boost::asio::error::operation_aborted) co_return HandlerEnd::aborted;
    log::write(log::Level::error, ctx, "request failed", {{"error", e.what()}});
  } catch (const std::exception& e) {
    log::write(log::Level::error, ctx, "request failed", {{"error", e.what()}});
  }
  co_return HandlerEnd::failed;
}

Task<bool> Connection::settle(Context& ctx, HandlerEnd end) {
  if (end == HandlerEnd::aborted) co_return false;
  if (response_.started()) co_return response_.complete();
  if (end == HandlerEnd::returned) {
    log::write(log::Level::error, ctx, "handler sent no response");
  }
  Context late;  // the request's own deadline may be what failed it
  switch (body_.failure()) {
    case RequestBody::Failure::none:
    case RequestBody::Failure::gone:
      if (end == HandlerEnd::cancelled) co_return false;
      co_await response_.send_plain(late, 500, "internal error\n");
      break;
    case RequestBody::Failure::stalled:
      co_await response_.send_plain(late, 408, "request body took too long\n");
      break;
    case RequestBody::Failure::malformed:
      co_await response_.send_plain(late, 400, "malformed request body\n");
      break;
  }
  co_return true;
}

Task<Connection::Next> Connection::answer() {
  const InFlight in_flight(loop_.metrics.in_flight);
  const auto began = Context::SteadyClock::now();
  Context ctx(Context::kNoDeadline, loop_.ids.next());
  loop_.gathering.request_began();
  body_.reset(head_);
  response_.reset(head_);
  request_.reset(ctx.request_id());

  const HandlerEnd end = co_await run_handler(ctx);
  bool usable = false;
  try {
    usable = co_await settle(ctx, end);
  } catch (const Error&) {
    usable = false;  // the peer left before the error page
  }
  account(ctx, began);
  if (!usable) co_return response_.started() ? Next::reset : Next::hang_up;
  if (response_.keep_alive() && co_await body_.drain()) {
    body_.release();
    co_return Next::serve_again;
  }
  co_return body_.nothing_left() ? Next::close : Next::linger;
}

void Connection::account(const Context& ctx, Context::SteadyClock::time_point began) {
  const auto took = Context::SteadyClock::now() - began;
  loop_.metrics.request_done(head_.method, response_.status(), took);
  if (!log::enabled(log::Level::debug)) return;
  log::write(log::Level::debug, ctx, "request",
             {{"method", head_.method},
              {"path", head_.path()},
              {"status", response_.status()},
              {"took_us", std::chrono::duration_cast<std::chrono::microseconds>(took).count()},
              {"bytes_in", wire_.bytes_in() - counted_in_},
              {"bytes_out", wire_.bytes_out() - counted_out_}});
}

void Connection::count_bytes() {
  loop_.metrics.bytes_in.add(wire_.bytes_in() - std::exchange(counted_in_, wire_.bytes_in()));
  loop_.metrics.bytes_out.add(wire_.bytes_out() - std::exchange(counted_out_, wire_.bytes_out()));
}

Task<> Connection::close() {
  wire_.arm(kGoodbyeTime);
  co_await wire_.finish_sending();
}

Task<> Connection::linger() {
  wire_.arm(kLingerTime);
  co_await wire_.finish_sending();
  const auto scratch = std::make_unique_for_overwrite<char[]>(16'384);
  std::uint64_t dropped = 0;
  while (dropped < kLingerBytesMax) {
    const WireRead got = co_await wire_.read_raw({scratch.get(), 16'384});
    if (got.end != WireEnd::ok) break;
    dropped += got.bytes;
  }
}

}  // namespace tarn::http
