#include "http/wire.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/error.h"
#include "io/sync.h"

namespace tarn::http {

namespace asio = boost::asio;
using std::chrono::milliseconds;

std::uint64_t Ticks::after(milliseconds timeout) const {
  const auto whole = std::max<std::int64_t>(timeout.count(), 0) / length.count();
  return now + static_cast<std::uint64_t>(whole) + 2;
}

void Wire::arm(milliseconds timeout, const Context* ctx) {
  if (ctx != nullptr && ctx->deadline() != Context::kNoDeadline) {
    const auto left = ctx->deadline() - Context::SteadyClock::now();
    timeout = std::min(timeout, std::chrono::duration_cast<milliseconds>(left));
  }
  due_ = ticks_.after(timeout);
}

WireEnd Wire::end_of(const boost::system::error_code& error) {
  const bool overdue = std::exchange(overdue_, false);
  if (!error) {
    // The sweep came after the operation had ended: let it come again for the next one.
    if (overdue && due_ == kNever) due_ = ticks_.now;
    return WireEnd::ok;
  }
  return overdue ? WireEnd::timed_out : WireEnd::closed;
}

Task<WireEnd> Wire::handshake() {
  const boost::system::error_code error = co_await stream_->handshake();
  co_return end_of(error);
}

Task<WireRead> Wire::read_some(std::span<char> into) {
  const auto [error, bytes] =
      co_await stream_->read_some(asio::mutable_buffer(into.data(), into.size()));
  bytes_in_ += bytes;
  const WireEnd end = end_of(error);
  co_return WireRead{.bytes = bytes, .end = bytes > 0 ? WireEnd::ok : end};
}

Task<WireRead> Wire::read_raw(std::span<char> into) {
  const auto [error, bytes] =
      co_await stream_->read_raw(asio::mutable_buffer(into.data(), into.size()));
  bytes_in_ += bytes;
  const WireEnd end = end_of(error);
  co_return WireRead{.bytes = bytes, .end = end};
}

Task<WireEnd> Wire::write(std::span<const asio::const_buffer> pieces, milliseconds stall,
                          const Context* ctx, More more) {
  std::array<asio::const_buffer, Stream::kPiecesMax> left;
  std::size_t count = 0;
  for (const asio::const_buffer& piece : pieces) {
    if (piece.size() > 0) left.at(count++) = piece;
  }
  std::size_t first = 0;
  const auto advance = [&](std::size_t bytes) {
    bytes_out_ += bytes;
    for (; first < count && bytes >= left[first].size(); ++first)
      bytes -= left[first].size();
    if (first < count) left[first] += bytes;
  };
  // Most answers fit into the socket: no operation is started then, and nothing waited for.
  advance(stream_->write_now(std::span(left).first(count), more));
  while (first < count) {
    arm(stall, ctx);
    writing_ = {.stall = stall, .ctx = ctx};
    const auto [error, bytes] =
        co_await stream_->write_some(std::span(left).subspan(first, count - first));
    advance(bytes);
    if (const WireEnd end = end_of(error); end != WireEnd::ok) {
      disarm();
      co_return end;
    }
  }
  disarm();
  co_return WireEnd::ok;
}

Task<io::Sent> Wire::send_turn(Context& ctx, io::ByteSource& source, std::uint64_t left) {
  struct Loan {
    bool& lent;

    explicit Loan(bool& flag) : lent(flag) { lent = true; }

    ~Loan() { lent = false; }
  } const loan(lent_);

  const io::Sent sent = co_await source.send_some(ctx, stream_->lend());
  // A peer that takes it as fast as it comes must not keep the loop from the others.
  if (sent.stop == io::Sent::Stop::turn_over && sent.bytes < left) co_await io::yield();
  co_return sent;
}

Task<WireSent> Wire::send(Context& ctx, io::ByteSource& source, milliseconds stall) {
  const std::uint64_t wanted = source.size().value_or(0);
  std::uint64_t sent = 0;
  while (sent < wanted) {
    ctx.check_deadline();
    const io::Sent turn = co_await send_turn(ctx, source, wanted - sent);
    sent += turn.bytes;
    bytes_out_ += turn.bytes;
    if (closed_while_lent_ || turn.stop == io::Sent::Stop::peer_gone) {
      co_return WireSent{.bytes = sent, .end = WireEnd::closed};
    }
    if (turn.stop == io::Sent::Stop::unsupported) break;
    if (turn.stop == io::Sent::Stop::turn_over || sent == wanted) continue;
    arm(stall, &ctx);
    writing_ = {.stall = stall, .ctx = &ctx};
    const auto error = co_await stream_->wait_for_room();
    const WireEnd end = end_of(error);
    disarm();
    if (end != WireEnd::ok) co_return WireSent{.bytes = sent, .end = end};
  }
  co_return WireSent{.bytes = sent};
}

bool Wire::is_draining() {
  const std::size_t before = std::exchange(writing_->unsent, stream_->unsent_bytes());
  return writing_->unsent < before;
}

void Wire::on_tick() {
  if (writing_ && is_draining()) arm(writing_->stall, writing_->ctx);
  if (due_ > ticks_.now) return;
  due_ = kNever;
  overdue_ = true;
  stream_->cancel();
}

void Wire::interrupt() {
  stream_->cancel();
}

Task<> Wire::finish_sending() {
  static_cast<void>(end_of(co_await stream_->say_goodbye()));
  stream_->shutdown_send();
}

void Wire::close() {
  disarm();
  if (lent_) {
    // Its number may be another connection's a moment after it is closed.
    closed_while_lent_ = true;
    stream_->shut_down();
  } else {
    stream_->close();
  }
}

void Wire::reset() {
  disarm();
  stream_->reset();
}

void throw_wire_end(const Context& ctx, WireEnd end) {
  ctx.check_deadline();
  throw Error(ErrorCode::cancelled,
              end == WireEnd::timed_out ? "the client stalled" : "the client went away");
}

}  // namespace tarn::http
