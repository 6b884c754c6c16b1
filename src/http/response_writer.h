// Our own response serializer: head and small body leave in one write, from one reused buffer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "http/loop_state.h"
#include "http/message.h"
#include "http/request_body.h"
#include "http/request_head.h"
#include "http/wire.h"

namespace tarn::http {

class ResponseWriter final : public Response {
 public:
  ResponseWriter(Wire& wire, RequestBody& body, LoopState& loop)
      : wire_(wire), body_(body), loop_(loop) {}

  /// For the next request; `head` stays valid until it is answered.
  void reset(const RequestHead& head);

  void add_header(std::string_view name, std::string_view value) override;

  void set_status(std::uint16_t status) override { status_ = status; }

  std::uint16_t status() const override { return status_; }

  bool started() const override { return state_ != State::open && state_ != State::begun; }

  Task<> send(Context& ctx, std::string_view body) override;
  Task<> send_stream(Context& ctx, io::ByteSource& body) override;
  Task<> send_head_only(Context& ctx, std::uint64_t content_length) override;
  Task<> begin(Context& ctx) override;
  Task<> write(Context& ctx, std::string_view piece) override;
  Task<> finish(Context& ctx) override;

  /// Everything that was announced has been sent.
  bool complete() const { return state_ == State::complete; }

  /// What the head said; true before it is made.
  bool keep_alive() const { return keep_alive_; }

  /// Drops what the handler set and answers with plain text and "Connection: close".
  Task<> send_plain(Context& ctx, std::uint16_t status, std::string_view text);

 private:
  enum class State {
    open,
    begun,  // begin() was called, the head waits for the first piece
    streaming,
    complete,
    broken,
  };
  enum class BodyKind { length, chunked, until_close };

  bool status_has_no_body() const;

  bool body_is_sent() const { return !head_request_ && !status_has_no_body(); }

  /// Decides about keep-alive and fills out_.
  void make_head(BodyKind kind, std::uint64_t length);
  BodyKind unsized_kind() const;
  /// out_, then the pieces; out_ is empty afterwards.
  Task<> flush(Context& ctx, std::string_view piece, std::string_view tail, More more = More::none);
  Task<> write_framed(Context& ctx, std::string_view piece);
  /// The head, then what the kernel sends of `body` by itself; how much that was.
  Task<std::uint64_t> send_file(Context& ctx, io::ByteSource& body, std::uint64_t size);

  Wire& wire_;
  RequestBody& body_;
  LoopState& loop_;
  State state_ = State::open;
  BodyKind kind_ = BodyKind::length;
  std::uint16_t status_ = 200;
  bool head_request_ = false;
  bool http10_ = false;
  bool client_keeps_ = true;
  bool keep_alive_ = true;
  std::string headers_;
  std::string out_;
};

}  // namespace tarn::http
