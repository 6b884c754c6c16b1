// How commands reach a running server from its own machine: a socket in the directory of the
// embedded metadata store, for the user the server runs as. See docs/adr/0009.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/any_io_executor.hpp>

#include "base/task.h"
#include "kv/store.h"

namespace tarn::app {

/// One line is one command, one line its answer: "ok" or "error WHAT".
///   checkpoint DIRECTORY    copies the metadata store into the new DIRECTORY (absolute)
inline constexpr std::string_view kControlSocketName = "control.sock";

/// The server's end.
class ControlSocket {
 public:
  /// `store` outlives it.
  ControlSocket(std::filesystem::path directory, kv::Store& store,
                boost::asio::any_io_executor executor);
  /// After stop(), or if start() has not been called or threw.
  ~ControlSocket();
  ControlSocket(const ControlSocket&) = delete;
  ControlSocket& operator=(const ControlSocket&) = delete;

  /// Binds and listens; whoever holds the store may replace a dead process's socket. Throws
  /// Error{unavailable}.
  void start();
  /// Finishes commands under way.
  Task<> stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// A command's end. Blocking.
class ControlClient {
 public:
  /// Throws Error{unavailable} when no server answers there.
  explicit ControlClient(const std::filesystem::path& directory);
  ~ControlClient();
  ControlClient(const ControlClient&) = delete;
  ControlClient& operator=(const ControlClient&) = delete;

  /// Sends the line and waits for the answer, however long that takes. Throws Error{unavailable}
  /// with what the server says is wrong.
  void run(std::string_view line);

 private:
  int fd_;
};

}  // namespace tarn::app
