// The HTTP/1.1 server: a listener per loop on a shared port, one coroutine per connection.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/task.h"
#include "http/message.h"
#include "io/loops.h"

namespace tarn::http {

struct TlsConfig {
  std::string certificate_file;  // PEM chain
  std::string key_file;          // PEM
};

struct ServerConfig {
  std::string listen_address = "0.0.0.0:8000";  // "host:port", "[v6]:port", ":port"; port 0 = any
  std::optional<TlsConfig> tls;
  std::uint32_t connections_max = 4'096;    // beyond it new connections wait in the backlog
  std::uint32_t header_bytes_max = 32'768;  // request line and headers; beyond it 431
  std::chrono::milliseconds header_timeout{60'000};  // from first byte of a request to end of head
  std::chrono::milliseconds idle_timeout{120'000};   // between requests
  std::chrono::milliseconds stall_timeout{60'000};   // without any progress in a body, either way
  std::uint64_t drain_bytes_max = 256 * 1024;  // of an unread request body, before closing instead
  std::chrono::milliseconds shutdown_grace{30'000};
  std::uint32_t body_buffer_bytes = 256 * 1024;  // most bytes of one read() of a body
};

/// Thread-safe. Start order: construct, start(), ... , co_await stop().
class Server {
 public:
  /// Does no I/O. `handler` and `loops` outlive the server.
  Server(ServerConfig config, io::Loops& loops, Handler& handler);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Binds and begins to accept. Throws Error{unavailable} when the address cannot be bound and
  /// Error{invalid_argument} for unusable TLS files.
  void start();

  /// The bound port (useful when configured as 0).
  std::uint16_t port() const;

  /// Reads the TLS files again; new connections use them. Keeps the old ones and throws
  /// Error{invalid_argument} if they are unusable. A no-op without TLS.
  void reload_tls();

  /// Closes the listeners once what waits in their queues is accepted, lets requests in flight
  /// finish (connections between requests close at once, new ones have a moment for their first,
  /// busy ones answer with "Connection: close"), and cuts what is left after the grace period.
  Task<> stop();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;  // shared with what is posted to the loops
};

}  // namespace tarn::http
