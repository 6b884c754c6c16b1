#include "http/request_body.h"

#include <algorithm>
#include <array>

#include "base/error.h"

namespace tarn::http {

namespace {

constexpr std::size_t kKeptCapacity = 16'384;  // of a buffer, from request to request
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace

void RequestBody::reset(const RequestHead& head) {
  const bool chunked = head.framing == RequestHead::Framing::chunked;
  framing_ = chunked ? BodyFraming::chunked() : BodyFraming::length(head.content_length);
  size_ = framing_.left();
  raw_ = input_.data();
  // A client that sends the body along does not wait for leave to do so.
  unasked_ = continue_due_ = head.expects_continue && !framing_.done() && raw_.empty();
  failure_ = Failure::none;
}

Task<WireEnd> RequestBody::send_continue(Context& ctx) {
  continue_due_ = unasked_ = false;
  const std::array piece{boost::asio::const_buffer(kContinue.data(), kContinue.size())};
  co_return co_await wire_.write(piece, loop_.config.stall_timeout, &ctx);
}

Task<WireEnd> RequestBody::fill(const Context* ctx) {
  const std::size_t most = loop_.config.body_buffer_bytes;
  const std::size_t wanted = std::min<std::uint64_t>(framing_.left().value_or(most), most);
  if (capacity_ < wanted) {
    buffer_ = std::make_unique_for_overwrite<char[]>(wanted);
    capacity_ = wanted;
  }
  wire_.arm(loop_.config.stall_timeout, ctx);
  // Of a body of known length never more than its rest, so nothing of the next request comes along.
  const WireRead got = co_await wire_.read_some({buffer_.get(), wanted});
  wire_.disarm();
  raw_ = {buffer_.get(), got.bytes};
  co_return got.end;
}

Task<std::string_view> RequestBody::read_piece(const Context* ctx) {
  while (failure_ == Failure::none && !framing_.done()) {
    if (raw_.empty()) {
      const WireEnd end = co_await fill(ctx);
      if (end == WireEnd::closed) failure_ = Failure::gone;
      if (end == WireEnd::timed_out) failure_ = Failure::stalled;
      if (end != WireEnd::ok) break;
    }
    const auto piece = framing_.next(raw_);
    if (!piece) {
      failure_ = Failure::malformed;
      break;
    }
    if (!piece->empty()) co_return *piece;
  }
  co_return std::string_view{};
}

Task<std::string_view> RequestBody::read(Context& ctx) {
  ctx.check_deadline();
  if (continue_due_) {
    const WireEnd end = co_await send_continue(ctx);
    if (end != WireEnd::ok) failure_ = Failure::gone;
  }
  const std::string_view piece = co_await read_piece(&ctx);
  switch (failure_) {
    case Failure::none: break;
    case Failure::gone: throw_wire_end(ctx, WireEnd::closed);
    case Failure::stalled: throw_wire_end(ctx, WireEnd::timed_out);
    case Failure::malformed: throw Error(ErrorCode::invalid_argument, "malformed request body");
  }
  co_return piece;
}

bool RequestBody::allows_keep_alive() const {
  if (done()) return true;
  if (failure_ != Failure::none || unasked_) return false;
  return framing_.left().value_or(0) <= loop_.config.drain_bytes_max;
}

Task<bool> RequestBody::drain() {
  std::uint64_t dropped = 0;
  while (!done() && allows_keep_alive() && dropped <= loop_.config.drain_bytes_max) {
    const std::string_view piece = co_await read_piece(nullptr);
    dropped += piece.size();
  }
  co_return done();
}

void RequestBody::release() {
  input_.assign(raw_);
  raw_ = {};
  if (capacity_ > kKeptCapacity) {
    buffer_.reset();
    capacity_ = 0;
  }
}

}  // namespace tarn::http
