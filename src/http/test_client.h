// For this layer's tests: a server in the process, and a blocking client that sends bytes as
// written and shows bytes as received.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/message.h"
#include "http/server.h"
#include "io/loops.h"

namespace tarn::http::testing {

/// A handler made of a plain function that returns a Task.
class FunctionHandler final : public Handler {
 public:
  using Function = std::function<Task<>(Context&, Request&, Response&)>;

  explicit FunctionHandler(Function function) : function_(std::move(function)) {}

  Task<> handle(Context& ctx, Request& request, Response& response) override {
    return function_(ctx, request, response);
  }

 private:
  Function function_;
};

/// Quick timeouts, any port.
ServerConfig quick_config();

/// Started by the constructor, stopped by the destructor.
class RunningServer {
 public:
  explicit RunningServer(FunctionHandler::Function function, ServerConfig config = quick_config(),
                         std::size_t loops = 1);
  ~RunningServer();

  std::uint16_t port() const { return server_.port(); }

  Server& server() { return server_; }

  void stop();

 private:
  io::Loops loops_;
  FunctionHandler handler_;
  Server server_;
  bool stopped_ = false;
};

struct ClientResponse {
  int status = 0;
  std::string head;  // status line and headers
  std::string body;  // framing removed
  bool complete = false;

  /// First value of the header, compared without case.
  std::optional<std::string> header(std::string_view name) const;
};

/// Every wait is bounded by ten seconds. Nothing here throws for a lost connection.
class TestClient {
 public:
  /// For TLS `ca_file` is the certificate to trust.
  explicit TestClient(std::uint16_t port, std::optional<std::string> ca_file = {});
  ~TestClient();

  /// False once the peer does not take the bytes any more.
  bool send(std::string_view bytes);
  /// Reads one response; `head` tells that no body follows. Interim 100s count as responses.
  ClientResponse receive(bool head = false);

  ClientResponse ask(std::string_view bytes) {
    send(bytes);
    return receive();
  }

  /// Exactly `count` bytes, fewer at the end of the stream.
  std::string receive_bytes(std::size_t count);
  /// True when the server ended the connection, with nothing left unread before.
  bool at_end();
  void finish_sending();
  /// Nothing has arrived within `time`.
  bool silent_for(std::chrono::milliseconds time);

 private:
  bool fill();

  struct Transport;
  std::unique_ptr<Transport> transport_;
  std::string buffered_;
};

}  // namespace tarn::http::testing
