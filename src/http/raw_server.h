// For this layer's tests: a peer that sends bytes as written, one script per connection.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace tarn::http::testing {

/// One accepted connection, blocking. Every wait is bounded by ten seconds.
class RawPeer {
 public:
  explicit RawPeer(int handle) : handle_(handle) {}

  /// Reads until `end` has been seen; what was read, shorter at the end of the stream.
  std::string receive_until(std::string_view end);

  std::string receive_head() { return receive_until("\r\n\r\n"); }

  std::string receive_bytes(std::size_t count);
  void send(std::string_view bytes);
  /// Ends the connection with a reset.
  void reset();
  /// Ends the connection, before the script ends.
  void hang_up();
  /// Waits until the other side hangs up.
  void wait_for_end();

 private:
  bool fill();

  int handle_;
  std::string buffered_;
};

/// Accepts on a free port of 127.0.0.1; connection n runs scripts[n], the last one repeats.
class RawServer {
 public:
  using Script = std::function<void(RawPeer&)>;

  explicit RawServer(std::vector<Script> scripts);
  ~RawServer();

  std::uint16_t port() const { return port_; }

  std::size_t connections();

 private:
  void accept_all();

  std::vector<Script> scripts_;
  int listener_;
  std::uint16_t port_ = 0;
  std::mutex mutex_;
  std::vector<std::thread> peers_;  // guarded by mutex_
  std::thread acceptor_;
};

}  // namespace tarn::http::testing
