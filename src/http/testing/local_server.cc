#include "http/testing/local_server.h"

#include <chrono>
#include <utility>

#include "io/loops.h"
#include "testing/co_test.h"

namespace tarn::http::testing {

namespace {

class FunctionHandler final : public Handler {
 public:
  explicit FunctionHandler(LocalServer::Function function) : function_(std::move(function)) {}

  Task<> handle(Context& ctx, Request& request, Response& response) override {
    return function_(ctx, request, response);
  }

 private:
  LocalServer::Function function_;
};

ServerConfig local(ServerConfig config) {
  config.listen_address = "127.0.0.1:0";
  config.shutdown_grace = std::chrono::seconds(1);
  return config;
}

Task<> stop(Server& server) {
  co_await server.stop();
}

}  // namespace

struct LocalServer::Impl {
  Impl(Function function, std::size_t count, ServerConfig config)
      : loops(count),
        handler(std::move(function)),
        server(local(std::move(config)), loops, handler) {
    server.start();
  }

  io::Loops loops;
  FunctionHandler handler;
  Server server;
};

LocalServer::LocalServer(Function function, std::size_t loops, ServerConfig config)
    : impl_(std::make_unique<Impl>(std::move(function), loops, std::move(config))) {}

LocalServer::~LocalServer() {
  tarn::testing::run_co([this] { return stop(impl_->server); });
}

Endpoint LocalServer::endpoint() const {
  return {.scheme = Endpoint::Scheme::http, .host = "127.0.0.1", .port = impl_->server.port()};
}

}  // namespace tarn::http::testing
