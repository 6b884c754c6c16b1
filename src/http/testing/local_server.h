// An HTTP server in the process, for tests: what it answers is a function.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "http/client.h"
#include "http/message.h"
#include "http/server.h"

namespace tarn::http::testing {

/// Listens on a free port of 127.0.0.1 until destroyed. The function is called on the server's
/// own loops, and what it uses outlives the server.
class LocalServer {
 public:
  using Function = std::function<Task<>(Context&, Request&, Response&)>;

  explicit LocalServer(Function function, std::size_t loops = 1, ServerConfig config = {});
  ~LocalServer();
  LocalServer(const LocalServer&) = delete;
  LocalServer& operator=(const LocalServer&) = delete;

  Endpoint endpoint() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tarn::http::testing
