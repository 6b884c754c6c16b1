// One client connection: requests in order, each read, handled, answered and cleaned up after.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "base/task.h"
#include "http/input_buffer.h"
#include "http/loop_state.h"
#include "http/message.h"
#include "http/request_body.h"
#include "http/request_head.h"
#include "http/response_writer.h"
#include "http/wire.h"

namespace tarn::http {

/// The Request a handler sees; its head is the connection's.
class ServerRequest final : public Request {
 public:
  ServerRequest(const RequestHead& head, RequestBody& body, std::string_view remote_address,
                bool is_tls)
      : head_(head), body_(body), remote_address_(remote_address), is_tls_(is_tls) {}

  void reset(std::string_view id);

  std::string_view method() const override { return head_.method; }

  std::string_view target() const override { return head_.target; }

  std::string_view raw_path() const override { return head_.path(); }

  std::string_view raw_query() const override { return head_.query(); }

  const std::vector<QueryParam>& query() const override;

  std::optional<std::string_view> header(std::string_view name) const override {
    return head_.find(name);
  }

  std::vector<std::pair<std::string_view, std::string_view>> headers() const override;

  std::optional<std::uint64_t> content_length() const override { return body_.size(); }

  io::ByteSource& body() override { return body_; }

  std::string_view remote_address() const override { return remote_address_; }

  bool is_tls() const override { return is_tls_; }

  std::string_view id() const override { return id_; }

 private:
  const RequestHead& head_;
  RequestBody& body_;
  std::string_view remote_address_;
  bool is_tls_;
  std::string_view id_;
  mutable std::optional<std::vector<QueryParam>> query_;
};

/// Lives on its loop. Registers with it for ticks while it exists.
class Connection {
 public:
  Connection(LoopState& loop, std::unique_ptr<Stream> stream, std::string remote_address);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Serves until either side is done with it.
  Task<> run();

  void on_tick() { wire_.on_tick(); }

  /// The server stops: hangs up between requests, and soon if the first one does not come.
  void drain();

  /// Hangs up now.
  void cut() { wire_.close(); }

 private:
  enum class Next { serve_again, close, linger, hang_up, reset };
  enum class HandlerEnd { returned, failed, cancelled, aborted };

  Task<Next> serve_one();
  /// Waits for the first byte of a request; false when there will be none.
  Task<bool> await_request();
  /// Length of the head at the front of the input; nullopt when the peer hung up within it.
  Task<std::expected<std::optional<std::size_t>, HeadError>> read_head();
  Task<Next> refuse(HeadError error);
  Task<Next> answer();
  Task<HandlerEnd> run_handler(Context& ctx);
  /// Sees to it that there was some response; false when the connection is beyond use.
  Task<bool> settle(Context& ctx, HandlerEnd end);
  void account(const Context& ctx, Context::SteadyClock::time_point began);
  void count_bytes();
  /// Closes so that the peer still reads what was sent: FIN, then its bytes are thrown away for a
  /// while (a close with unread bytes would reset the connection under the response).
  Task<> linger();
  /// Closes when nothing unread can be in the way of what was sent.
  Task<> close();

  LoopState& loop_;
  const std::string remote_address_;
  Wire wire_;
  InputBuffer input_;
  RequestHead head_;
  RequestBody body_;
  ResponseWriter response_;
  ServerRequest request_;
  bool idle_ = false;   // waits for the first byte of a request
  bool is_new_ = true;  // and of its first one
  std::uint64_t counted_in_ = 0;
  std::uint64_t counted_out_ = 0;
};

}  // namespace tarn::http
