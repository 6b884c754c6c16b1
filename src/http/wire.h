// A stream with a deadline. Time is coarse: the loop counts ticks, one sweep per tick ends what is
// overdue, and arming a deadline is one addition instead of a timer.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "base/context.h"
#include "base/task.h"
#include "http/stream.h"
#include "io/byte_source.h"

namespace tarn::http {

/// A loop's count of ticks. A deadline is never early and at most two ticks late.
struct Ticks {
  std::uint64_t now = 0;
  std::chrono::milliseconds length{1'000};

  std::uint64_t after(std::chrono::milliseconds timeout) const;
};

/// How an operation on the wire ended.
enum class [[nodiscard]] WireEnd { ok, closed, timed_out };

struct WireRead {
  std::size_t bytes = 0;
  WireEnd end = WireEnd::ok;  // closed: nothing will ever come
};

struct WireSent {
  std::uint64_t bytes = 0;
  WireEnd end = WireEnd::ok;
};

/// Used on its loop only, one operation at a time.
class Wire {
 public:
  Wire(std::unique_ptr<Stream> stream, const Ticks& ticks)
      : stream_(std::move(stream)), ticks_(ticks) {}

  /// From here on operations end with timed_out after `timeout`, or at the deadline of `ctx`.
  void arm(std::chrono::milliseconds timeout, const Context* ctx = nullptr);

  void disarm() {
    due_ = kNever;
    writing_.reset();
  }

  Task<WireEnd> handshake();
  Task<WireRead> read_some(std::span<char> into);
  /// What the peer still sends, to be thrown away.
  Task<WireRead> read_raw(std::span<char> into);
  /// Writes everything. Each progress starts a new `stall` timeout; a peer that takes bytes out of
  /// the socket's buffer makes progress, even while that is still too full for more.
  Task<WireEnd> write(std::span<const boost::asio::const_buffer> pieces,
                      std::chrono::milliseconds stall, const Context* ctx = nullptr,
                      More more = More::none);

  /// Whether send() can be used: a plain connection.
  bool can_send() const { return stream_->lend() >= 0; }

  /// Has the kernel send from `source`, which can_send(), until its size() is reached; fewer bytes
  /// with an end of ok mean that read() has to go on. Deadlines as with write(), but none for the
  /// time the source takes. Throws what the source throws.
  Task<WireSent> send(Context& ctx, io::ByteSource& source, std::chrono::milliseconds stall);

  /// The sweep's turn: ends an overdue operation.
  void on_tick();
  /// Ends an operation under way as if the peer had gone.
  void interrupt();
  /// Ends our side, so that the peer reads everything and then an end.
  Task<> finish_sending();
  void close();
  void reset();

  bool is_tls() const { return stream_->is_tls(); }

  std::uint64_t bytes_in() const { return bytes_in_; }

  std::uint64_t bytes_out() const { return bytes_out_; }

 private:
  static constexpr std::uint64_t kNever = UINT64_MAX;

  struct Writing {
    std::chrono::milliseconds stall;
    const Context* ctx;
    std::size_t unsent = 0;  // at the last tick
  };

  /// One turn of the source, which has `left` bytes, with the socket, which stays open for it.
  Task<io::Sent> send_turn(Context& ctx, io::ByteSource& source, std::uint64_t left);
  WireEnd end_of(const boost::system::error_code& error);
  bool is_draining();

  std::unique_ptr<Stream> stream_;
  const Ticks& ticks_;
  std::uint64_t due_ = kNever;
  std::optional<Writing> writing_;  // a write waits for room
  bool overdue_ = false;
  bool lent_ = false;  // another thread may be using the socket
  bool closed_while_lent_ = false;
  std::uint64_t bytes_in_ = 0;
  std::uint64_t bytes_out_ = 0;
};

/// Throws what a handler sees: Error{deadline_exceeded} if that was the context's, else cancelled.
[[noreturn]] void throw_wire_end(const Context& ctx, WireEnd end);

}  // namespace tarn::http
