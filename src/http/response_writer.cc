#include "http/response_writer.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/error.h"
#include "base/format.h"
#include "io/sync.h"

namespace tarn::http {

namespace {

constexpr std::size_t kCopiedBodyMax = 16'384;  // beyond it gathering beats copying
constexpr std::size_t kKeptCapacity = 65'536;   // of the reused buffers

bool is_servers_own(std::string_view name) {
  constexpr std::array<std::string_view, 5> kOwn = {"content-length", "transfer-encoding",
                                                    "connection", "date", "keep-alive"};
  return std::ranges::any_of(kOwn, [&](auto own) { return equal_without_case(own, name); });
}

bool can_stand_in_value(char c) {
  return c != '\r' && c != '\n' && c != '\0';
}

void append_number(std::string& out, std::uint64_t number) {
  std::array<char, 20> digits;
  out.append(digits.data(), std::to_chars(digits.begin(), digits.end(), number).ptr);
}

void clear_bounded(std::string& text) {
  if (text.capacity() > kKeptCapacity) text = {};
  text.clear();
}

}  // namespace

void ResponseWriter::reset(const RequestHead& head) {
  state_ = State::open;
  kind_ = BodyKind::length;
  status_ = 200;
  head_request_ = head.method == "HEAD";
  http10_ = head.http10;
  client_keeps_ = head.keep_alive;
  keep_alive_ = true;
  clear_bounded(headers_);
  clear_bounded(out_);
}

void ResponseWriter::add_header(std::string_view name, std::string_view value) {
  if (!is_token(name) || is_servers_own(name)) return;
  headers_ += name;
  headers_ += ": ";
  if (std::ranges::all_of(value, can_stand_in_value)) {
    headers_ += value;
  } else {
    std::ranges::copy_if(value, std::back_inserter(headers_), can_stand_in_value);
  }
  headers_ += "\r\n";
}

bool ResponseWriter::status_has_no_body() const {
  return status_ < 200 || status_ == 204 || status_ == 304;
}

ResponseWriter::BodyKind ResponseWriter::unsized_kind() const {
  return http10_ ? BodyKind::until_close : BodyKind::chunked;
}

void ResponseWriter::make_head(BodyKind kind, std::uint64_t length) {
  kind_ = kind;
  keep_alive_ = client_keeps_ && !loop_.draining.load(std::memory_order_relaxed) &&
                body_.allows_keep_alive() && kind != BodyKind::until_close;
  body_.forbid_continue();
  clear_bounded(out_);
  out_ += "HTTP/1.1 ";
  append_number(out_, status_);
  out_ += ' ';
  out_ += reason_phrase(status_);
  out_ += "\r\n";
  out_ += headers_;
  out_ += "Date: ";
  out_ += loop_.date.now();
  if (!status_has_no_body()) {
    if (kind == BodyKind::length) {
      out_ += "\r\nContent-Length: ";
      append_number(out_, length);
    }
    if (kind == BodyKind::chunked) out_ += "\r\nTransfer-Encoding: chunked";
  }
  if (!keep_alive_) {
    out_ += "\r\nConnection: close";
  } else if (http10_) {
    out_ += "\r\nConnection: keep-alive";
  }
  out_ += "\r\n\r\n";
}

Task<> ResponseWriter::flush(Context& ctx, std::string_view piece, std::string_view tail,
                             More more) {
  if (state_ == State::broken) throw Error(ErrorCode::cancelled, "the client went away");
  if (state_ != State::streaming && loop_.gathering.worth_it()) {
    const std::uint64_t before = loop_.gathering.requests();
    co_await io::yield();
    loop_.gathering.waited(before);
  }
  const std::array pieces{boost::asio::const_buffer(out_.data(), out_.size()),
                          boost::asio::const_buffer(piece.data(), piece.size()),
                          boost::asio::const_buffer(tail.data(), tail.size())};
  state_ = State::broken;  // until it has worked: an exception may leave half of it sent
  const WireEnd end = co_await wire_.write(pieces, loop_.config.stall_timeout, &ctx, more);
  if (end != WireEnd::ok) throw_wire_end(ctx, end);
  state_ = State::streaming;
  clear_bounded(out_);
}

Task<> ResponseWriter::send(Context& ctx, std::string_view body) {
  TARN_ASSERT(!started());
  make_head(BodyKind::length, body.size());
  if (!body_is_sent()) body = {};
  if (body.size() <= kCopiedBodyMax) {
    out_ += body;
    body = {};
  }
  co_await flush(ctx, body, {});
  state_ = State::complete;
}

Task<> ResponseWriter::send_head_only(Context& ctx, std::uint64_t content_length) {
  TARN_ASSERT(!started());
  make_head(BodyKind::length, content_length);
  co_await flush(ctx, {}, {});
  // To a request other than HEAD this promised bytes that will not come.
  state_ = body_is_sent() && content_length > 0 ? State::broken : State::complete;
}

Task<> ResponseWriter::write_framed(Context& ctx, std::string_view piece) {
  if (kind_ != BodyKind::chunked) {
    co_await flush(ctx, piece, {});
  } else {
    append_format(out_, "{:x}\r\n", piece.size());
    co_await flush(ctx, piece, "\r\n");
  }
}

Task<std::uint64_t> ResponseWriter::send_file(Context& ctx, io::ByteSource& body,
                                              std::uint64_t size) {
  make_head(BodyKind::length, size);
  co_await flush(ctx, {}, {}, More::follows);
  state_ = State::broken;  // until it has worked
  const WireSent sent = co_await wire_.send(ctx, body, loop_.config.stall_timeout);
  if (sent.end != WireEnd::ok) throw_wire_end(ctx, sent.end);
  state_ = State::streaming;
  co_return sent.bytes;
}

Task<> ResponseWriter::send_stream(Context& ctx, io::ByteSource& body) {
  TARN_ASSERT(!started());
  const std::optional<std::uint64_t> size = body.size();
  const BodyKind kind = size ? BodyKind::length : unsized_kind();
  if (!body_is_sent()) {
    make_head(kind, size.value_or(0));
    co_await flush(ctx, {}, {});
    state_ = State::complete;
    co_return;
  }
  std::uint64_t sent = 0;
  std::string_view piece;
  if (size && *size > 0 && body.can_send() && wire_.can_send()) {
    sent = co_await send_file(ctx, body, *size);
    if (sent < *size) piece = co_await body.read(ctx);
  } else {
    // The first piece comes before the head: a source that fails at once can still be reported.
    piece = co_await body.read(ctx);
    make_head(kind, size.value_or(0));
  }
  while (!piece.empty()) {
    sent += piece.size();
    if (size && sent > *size) throw Error(ErrorCode::internal, "response body is too long");
    co_await write_framed(ctx, piece);
    piece = co_await body.read(ctx);
  }
  if (size && sent < *size) {
    state_ = State::broken;
    throw Error(ErrorCode::internal, "response body ended short");
  }
  co_await finish(ctx);
}

Task<> ResponseWriter::begin(Context&) {
  TARN_ASSERT(!started());
  make_head(unsized_kind(), 0);
  state_ = State::begun;
  co_return;
}

Task<> ResponseWriter::write(Context& ctx, std::string_view piece) {
  TARN_ASSERT(state_ == State::begun || started());
  if (!body_is_sent()) piece = {};
  if (piece.empty()) {
    if (!out_.empty()) co_await flush(ctx, {}, {});
  } else {
    co_await write_framed(ctx, piece);
  }
}

Task<> ResponseWriter::finish(Context& ctx) {
  if (kind_ == BodyKind::chunked && body_is_sent()) out_ += "0\r\n\r\n";
  if (!out_.empty()) co_await flush(ctx, {}, {});
  state_ = State::complete;
}

Task<> ResponseWriter::send_plain(Context& ctx, std::uint16_t status, std::string_view text) {
  headers_.clear();
  status_ = status;
  client_keeps_ = false;
  add_header("Content-Type", "text/plain; charset=utf-8");
  add_header("X-Content-Type-Options", "nosniff");
  co_await send(ctx, text);
}

}  // namespace tarn::http
