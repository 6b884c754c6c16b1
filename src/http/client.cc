#include "http/client.h"

#include <algorithm>
#include <array>
#include <mutex>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include "base/error.h"
#include "base/format.h"
#include "http/body_framing.h"
#include "http/client_connection.h"
#include "http/client_pool.h"
#include "http/response_head.h"
#include "http/tls.h"
#include "io/await_callback.h"

namespace tarn::http {

namespace {

namespace asio = boost::asio;
using End = ClientConnection::End;

constexpr std::chrono::milliseconds kContinueTimeout{1'000};
constexpr std::chrono::milliseconds kLastWordTimeout{500};
constexpr int kInterimHeadsMax = 8;

std::string_view why(End end) {
  return end == End::timed_out ? "no answer in time" : "the connection was closed";
}

/// A line of a head that would not end where it should must never be sent.
void check_head_text(std::string_view text, const Endpoint& endpoint) {
  if (text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos) {
    throw Error(ErrorCode::invalid_argument,
                format("request to {} with a line break in its head", endpoint.host));
  }
}

std::string_view body_of(const ClientRequest& request) {
  return request.borrowed_body.empty() ? std::string_view(request.body) : request.borrowed_body;
}

std::string make_head(const ClientRequest& request) {
  check_head_text(request.target, request.endpoint);
  std::string head = request.method + " " + request.target +
                     " HTTP/1.1\r\nHost: " + request.endpoint.authority() + "\r\n";
  for (const auto& [name, value] : request.headers) {
    check_head_text(name, request.endpoint);
    check_head_text(value, request.endpoint);
    head.append(name).append(": ").append(value).append("\r\n");
  }
  const std::uint64_t length =
      request.stream != nullptr ? request.stream_bytes : body_of(request).size();
  const bool has_body_semantics =
      request.method == "PUT" || request.method == "POST" || request.method == "PATCH";
  if (length > 0 || has_body_semantics) append_format(head, "Content-Length: {}\r\n", length);
  if (request.expect_continue && length > 0) head += "Expect: 100-continue\r\n";
  head += "\r\n";
  return head;
}

bool may_repeat(const ClientRequest& request) {
  constexpr std::array<std::string_view, 5> kSafe = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS"};
  return request.repeatable || std::ranges::find(kSafe, request.method) != kSafe.end();
}

/// A response's body. Holds the connection until its last byte.
class ResponseBody final : public io::ByteSource {
 public:
  ResponseBody(const ClientConfig& config, std::chrono::milliseconds idle_timeout,
               Endpoint endpoint, ClientPool::Lease lease, std::unique_ptr<char[]> buffer,
               std::size_t capacity, std::string_view raw, const ResponseHead& head)
      : config_(config),
        idle_timeout_(idle_timeout),
        endpoint_(std::move(endpoint)),
        lease_(std::move(lease)),
        buffer_(std::move(buffer)),
        capacity_(capacity),
        raw_(raw),
        until_close_(head.framing == ResponseHead::Framing::until_close),
        keep_(head.keep_alive) {
    if (head.framing == ResponseHead::Framing::length) {
      framing_ = BodyFraming::length(head.content_length);
      size_ = head.content_length;
    } else if (head.framing == ResponseHead::Framing::chunked) {
      framing_ = BodyFraming::chunked();
    } else if (head.framing == ResponseHead::Framing::none) {
      size_ = 0;
    }
    if (!until_close_ && framing_.done()) finish();
  }

  std::optional<std::uint64_t> size() const override { return size_; }

  Task<std::string_view> read(Context& ctx) override {
    while (lease_) {
      if (!raw_.empty()) {
        const std::string_view piece = take(ctx);
        if (!piece.empty()) co_return piece;
        continue;
      }
      make_room();
      const std::size_t most = std::min(capacity_, config_.buffer_bytes);
      const auto got = co_await lease_.connection().read_some(due_within(ctx, idle_timeout_),
                                                              std::span(buffer_.get(), most));
      if (got.end == End::ok) {
        raw_ = {buffer_.get(), got.bytes};
        continue;
      }
      lease_.drop();
      if (got.end == End::closed && got.clean && until_close_) break;
      fail(ctx, got.end == End::timed_out ? "the response stalled"
                                          : "the connection was closed within a response");
    }
    if (failed_) fail(ctx, "the response had failed before");
    co_return std::string_view{};
  }

 private:
  /// What heads fit into is small for the pieces of a large body. Nothing in the buffer is needed.
  void make_room() {
    const std::uint64_t wanted = std::min<std::uint64_t>(size_.value_or(0), config_.buffer_bytes);
    if (wanted <= capacity_) return;
    capacity_ = static_cast<std::size_t>(wanted);
    buffer_ = std::make_unique_for_overwrite<char[]>(capacity_);
  }

  /// Off the front of what has been received.
  std::string_view take(Context& ctx) {
    if (until_close_) return std::exchange(raw_, {});
    const auto piece = framing_.next(raw_);
    if (!piece) {
      lease_.drop();
      fail(ctx, "the response's framing is broken");
    }
    if (framing_.done()) finish();
    return *piece;
  }

  /// The pieces handed out stay in the buffer, which is this body's own.
  void finish() {
    if (keep_ && raw_.empty()) {
      lease_.keep();
    } else {
      lease_.drop();
    }
  }

  [[noreturn]] void fail(const Context& ctx, std::string_view reason) {
    failed_ = true;
    throw_unreachable(ctx, endpoint_, reason);
  }

  const ClientConfig& config_;
  const std::chrono::milliseconds idle_timeout_;
  const Endpoint endpoint_;
  ClientPool::Lease lease_;
  std::unique_ptr<char[]> buffer_;
  std::size_t capacity_;
  std::string_view raw_;
  BodyFraming framing_;
  std::optional<std::uint64_t> size_;
  bool until_close_;
  bool keep_;
  bool failed_ = false;
};

/// One request on one connection, up to the response's head.
class Exchange {
 public:
  Exchange(const ClientConfig& config, const ClientRequest& request, const std::string& head_text,
           ClientPool::Lease lease)
      : config_(config),
        idle_timeout_(std::min(config.idle_timeout, request.idle_timeout)),
        request_(request),
        head_text_(head_text),
        lease_(std::move(lease)),
        capacity_(config.head_bytes_max),
        buffer_(std::make_unique_for_overwrite<char[]>(capacity_)) {}

  /// False when the connection turned out to be dead before anything came back.
  Task<bool> run(Context& ctx) {
    if (const End end = co_await send_all(ctx); end != End::ok && !has_head_) {
      // The peer may have answered before it hung up.
      const auto patience = end == End::closed ? kLastWordTimeout : std::chrono::milliseconds{0};
      const End last = co_await receive_head(ctx, due_within(ctx, patience));
      if (last != End::ok) co_return lost(ctx, end);
      head_.keep_alive = false;
    }
    if (!has_head_) {
      const End end = co_await receive_head(ctx, due_within(ctx, idle_timeout_));
      if (end != End::ok) co_return lost(ctx, end);
    }
    co_return true;
  }

  bool stream_touched() const { return stream_touched_; }

  const ResponseHead& head() const { return head_; }

  std::unique_ptr<io::ByteSource> take_body() {
    const std::string_view raw(buffer_.get() + head_bytes_, filled_ - head_bytes_);
    return std::make_unique<ResponseBody>(config_, idle_timeout_, request_.endpoint,
                                          std::move(lease_), std::move(buffer_), capacity_, raw,
                                          head_);
  }

 private:
  bool lost(const Context& ctx, End end) const {
    if (end == End::closed && filled_ == 0 && lease_.reused()) return false;
    throw_unreachable(ctx, request_.endpoint, why(end));
  }

  Task<End> send_all(Context& ctx) {
    const bool wait =
        request_.expect_continue &&
        (request_.stream != nullptr ? request_.stream_bytes > 0 : !body_of(request_).empty());
    const bool with_body = request_.stream == nullptr && !wait;
    const asio::const_buffer body(body_of(request_).data(), body_of(request_).size());
    const std::array pieces = {asio::const_buffer(head_text_.data(), head_text_.size()),
                               with_body ? body : asio::const_buffer()};
    if (const End end = co_await write(ctx, pieces); end != End::ok) co_return end;
    if (wait) {
      const bool told = co_await told_to_continue(ctx);
      if (!told) co_return End::ok;
    }
    if (request_.stream != nullptr) co_return co_await send_stream(ctx);
    if (with_body) co_return End::ok;
    const std::array only_body = {body};
    co_return co_await write(ctx, only_body);
  }

  Task<End> write(Context& ctx, std::span<const asio::const_buffer> pieces) {
    return lease_.connection().write(ctx, pieces, idle_timeout_);
  }

  /// False when the final answer came instead. Silence counts as consent.
  Task<bool> told_to_continue(Context& ctx) {
    continue_due_ = true;
    const End end = co_await receive_head(ctx, due_within(ctx, kContinueTimeout));
    continue_due_ = false;
    if (end == End::ok && has_head_) head_.keep_alive = false;  // its body was never sent
    co_return !has_head_;
  }

  Task<End> send_stream(Context& ctx) {
    std::uint64_t left = request_.stream_bytes;
    stream_touched_ = true;
    while (left > 0) {
      const std::string_view piece = co_await request_.stream->read(ctx);
      if (piece.empty() || piece.size() > left) {
        throw Error(ErrorCode::invalid_argument, "the body is not as long as announced");
      }
      left -= piece.size();
      const std::array pieces = {asio::const_buffer(piece.data(), piece.size())};
      if (const End end = co_await write(ctx, pieces); end != End::ok) co_return end;
    }
    co_return End::ok;
  }

  /// Up to a final head; while "100 Continue" is due, up to that as well.
  Task<End> receive_head(Context& ctx, Watch::Time due) {
    for (int interim = 0; interim < kInterimHeadsMax;) {
      const auto end_of_head = scanner_.scan({buffer_.get(), filled_}, config_.head_bytes_max);
      if (!end_of_head) {
        throw_unreachable(ctx, request_.endpoint, "the response's head is malformed or too large");
      }
      if (!*end_of_head) {
        const auto got = co_await lease_.connection().read_some(
            due, std::span(buffer_.get() + filled_, capacity_ - filled_));
        if (got.end != End::ok) co_return got.end;
        filled_ += got.bytes;
        continue;
      }
      auto parsed = parse_response_head({buffer_.get(), **end_of_head}, request_.method == "HEAD");
      if (!parsed) throw_unreachable(ctx, request_.endpoint, parsed.error().message);
      if (parsed->status >= 200) {
        head_ = *std::move(parsed);
        head_bytes_ = **end_of_head;
        has_head_ = true;
        co_return End::ok;
      }
      if (parsed->status == 101) {
        throw_unreachable(ctx, request_.endpoint, "switched protocols unasked");
      }
      drop_front(**end_of_head);
      if (parsed->status == 100 && continue_due_) co_return End::ok;
      ++interim;
    }
    throw_unreachable(ctx, request_.endpoint, "too many interim responses");
  }

  void drop_front(std::size_t bytes) {
    std::copy(buffer_.get() + bytes, buffer_.get() + filled_, buffer_.get());
    filled_ -= bytes;
    scanner_ = HeadScanner();
  }

  const ClientConfig& config_;
  const std::chrono::milliseconds idle_timeout_;
  const ClientRequest& request_;
  const std::string& head_text_;
  ClientPool::Lease lease_;
  std::size_t capacity_;
  std::unique_ptr<char[]> buffer_;
  std::size_t filled_ = 0;
  std::size_t head_bytes_ = 0;
  HeadScanner scanner_;
  ResponseHead head_;  // views of buffer_
  bool has_head_ = false;
  bool continue_due_ = false;
  bool stream_touched_ = false;
};

}  // namespace

ClientResponse::ClientResponse() = default;
ClientResponse::ClientResponse(ClientResponse&&) noexcept = default;
ClientResponse& ClientResponse::operator=(ClientResponse&&) noexcept = default;
ClientResponse::~ClientResponse() = default;

std::optional<std::string_view> ClientResponse::header(std::string_view name) const {
  for (const auto& [key, value] : headers_) {
    if (equal_without_case(key, name)) return value;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> ClientResponse::content_length() const {
  return length_;
}

io::ByteSource& ClientResponse::body() {
  TARN_ASSERT(body_ != nullptr);
  return *body_;
}

std::unique_ptr<io::ByteSource> ClientResponse::take_body() {
  return std::move(body_);
}

Task<std::string> ClientResponse::read_all(Context& ctx, std::uint64_t bytes_max) {
  return io::read_all(ctx, body(), bytes_max);
}

struct Client::Impl {
  explicit Impl(ClientConfig c) : config(std::move(c)) {
    if (!config.tls.ca_file.empty()) tls();
  }

  /// Once: reading the system's certificates takes tens of milliseconds.
  TlsSnapshot tls() {
    const std::scoped_lock lock(tls_mutex);
    if (tls_context == nullptr) tls_context = load_client_tls(config.tls);
    return tls_context;
  }

  struct Loop {
    asio::any_io_executor executor;
    std::shared_ptr<ClientPool> pool;
  };

  std::shared_ptr<ClientPool> pool_of(const asio::any_io_executor& executor) {
    const std::scoped_lock lock(mutex);
    for (const Loop& loop : loops) {
      if (loop.executor == executor) return loop.pool;
    }
    loops.push_back({executor, std::make_shared<ClientPool>(config, [this] { return tls(); })});
    return loops.back().pool;
  }

  const ClientConfig config;
  std::mutex tls_mutex;
  TlsSnapshot tls_context;  // guarded by tls_mutex
  std::mutex mutex;
  std::vector<Loop> loops;  // guarded by mutex; as many as there are loops
};

Client::Client(ClientConfig config) : impl_(std::make_unique<Impl>(std::move(config))) {}

Client::~Client() = default;

Task<ClientResponse> Client::send(Context& ctx, ClientRequest request) {
  const std::string head_text = make_head(request);
  const auto pool = impl_->pool_of(co_await asio::this_coro::executor);
  ClientPool::Patience patience{.for_place =
                                    std::min(impl_->config.idle_timeout, request.idle_timeout)};
  if (request.ahead_of_others) patience.for_place = std::chrono::milliseconds(0);
  for (;;) {
    Exchange exchange(impl_->config, request, head_text,
                      co_await pool->acquire(ctx, request.endpoint, patience));
    const bool answered = co_await exchange.run(ctx);
    if (!answered) {
      // A connection that had been kept was dead. A fresh one cannot come here again.
      if (!may_repeat(request) || exchange.stream_touched()) {
        throw_unreachable(ctx, request.endpoint, why(End::closed));
      }
      patience.want = ClientPool::Want::fresh;
      continue;
    }
    ClientResponse response;
    const ResponseHead& head = exchange.head();
    response.status_ = head.status;
    for (const HeadField& field : head.fields)
      response.headers_.emplace_back(field.name, field.value);
    if (head.has_length) response.length_ = head.content_length;
    response.body_ = exchange.take_body();
    co_return response;
  }
}

Task<> Client::close() {
  std::vector<Impl::Loop> loops;
  {
    const std::scoped_lock lock(impl_->mutex);
    loops = impl_->loops;
  }
  for (const Impl::Loop& loop : loops) {
    co_await io::await_callback<char>([loop](io::Callback<char> done) {
      asio::post(loop.executor, [pool = loop.pool, d = std::move(done)]() mutable {
        pool->close();
        d(nullptr, 0);
      });
    });
  }
}

}  // namespace tarn::http
