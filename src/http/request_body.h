// A request's body as it comes off the wire: first what arrived with the head, then a bounded
// buffer of its own.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "http/body_framing.h"
#include "http/input_buffer.h"
#include "http/loop_state.h"
#include "http/request_head.h"
#include "http/wire.h"
#include "io/byte_source.h"

namespace tarn::http {

class RequestBody final : public io::ByteSource {
 public:
  enum class Failure { none, gone, stalled, malformed };

  RequestBody(Wire& wire, InputBuffer& input, const LoopState& loop)
      : wire_(wire), input_(input), loop_(loop) {}

  /// For the next request, whose head has just been taken off the input.
  void reset(const RequestHead& head);

  Task<std::string_view> read(Context& ctx) override;

  std::optional<std::uint64_t> size() const override { return size_; }

  /// The response has begun: it is too late for "100 Continue".
  void forbid_continue() { continue_due_ = false; }

  /// Whether the connection can serve another request once the rest has been drained.
  bool allows_keep_alive() const;

  Failure failure() const { return failure_; }

  /// The body was read to its end and nothing was received beyond it.
  bool nothing_left() const { return done() && raw_.empty(); }

  /// Reads and drops what is left, up to the configured limit. False when that was not the end.
  Task<bool> drain();

  /// Gives what was received beyond the body back to the input, and large buffers to the heap.
  void release();

 private:
  bool done() const { return failure_ == Failure::none && framing_.done(); }

  Task<WireEnd> send_continue(Context& ctx);
  /// The next piece without regard to who asks: empty when done or failed.
  Task<std::string_view> read_piece(const Context* ctx);
  Task<WireEnd> fill(const Context* ctx);

  Wire& wire_;
  InputBuffer& input_;
  const LoopState& loop_;
  BodyFraming framing_;
  std::optional<std::uint64_t> size_;
  std::string_view raw_;  // received, framing not yet removed; in input_ or in buffer_
  std::unique_ptr<char[]> buffer_;
  std::size_t capacity_ = 0;
  bool continue_due_ = false;
  bool unasked_ = false;  // the client waits for "100 Continue" and has not been told
  Failure failure_ = Failure::none;
};

}  // namespace tarn::http
