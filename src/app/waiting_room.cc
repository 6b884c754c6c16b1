#include "app/waiting_room.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <optional>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include "app/blocking_wait.h"
#include "app/dispatcher.h"
#include "base/error.h"
#include "base/format.h"
#include "base/log.h"
#include "http/server.h"

namespace tarn::app {

namespace {

constexpr std::chrono::milliseconds kFirstPause{250};
constexpr std::chrono::milliseconds kLongestPause{5'000};

bool may_pass(const Error& error) {
  return error.code() == ErrorCode::unavailable || error.code() == ErrorCode::deadline_exceeded ||
         error.code() == ErrorCode::throttled;
}

/// What fails at the start of a store of this process's own is for the operator.
bool is_worth_waiting(const Config& config, const StoreError& error) {
  const bool service = error.role() == StoreRole::metadata ? is_service(config.database)
                                                           : is_service(config.blockstore);
  return service && may_pass(error);
}

/// The listener with its own loop; stops when it goes.
class Room {
 public:
  explicit Room(const Config& config)
      : handler_(config.s3_domains), loops_(1), server_(config.server, loops_, handler_) {
    server_.start();
  }

  ~Room() {
    try {
      wait_for(loops_.any(), server_.stop());
    } catch (const std::exception& error) {
      log::error("closing the waiting listener failed", {{"error", error.what()}});
    }
  }

  void wait_for_store(StoreRole store) { handler_.wait_for(store); }

  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;

 private:
  WaitingHandler handler_;
  io::Loops loops_;
  http::Server server_;
};

/// Waits that long; false if a signal came first.
bool pause(std::chrono::milliseconds duration) {
  boost::asio::io_context waiting;
  boost::asio::signal_set signals(waiting, SIGINT, SIGTERM);
  boost::asio::steady_timer timer(waiting, duration);
  bool stopped = false;
  signals.async_wait([&](const boost::system::error_code& error, int) {
    if (error) return;
    stopped = true;
    timer.cancel();
  });
  timer.async_wait([&](const boost::system::error_code& error) {
    if (!error) signals.cancel();
  });
  waiting.run();
  return !stopped;
}

}  // namespace

Task<> WaitingHandler::handle(Context& ctx, http::Request& request, http::Response& response) {
  const std::string_view path = request.raw_path();
  if (path == "/_health") {
    response.set_status(200);
    response.add_header("Content-Type", "text/plain; charset=utf-8");
    co_return co_await response.send(ctx, "alive!");
  }
  response.set_status(503);
  response.add_header("Retry-After", "1");
  if (path == "/_ready") {
    response.add_header("Content-Type", "application/json");
    const bool metadata = store_ == StoreRole::metadata;
    co_return co_await response.send(
        ctx, format(R"({{"status":"starting","metadata":"{}","objects":"{}"}})",
                    metadata ? "unavailable" : "ok", metadata ? "starting" : "unavailable") +
                 "\n");
  }
  if (is_s3_request(request, s3_domains_)) {
    response.add_header("Content-Type", "application/xml");
    co_return co_await response.send(
        ctx, R"(<?xml version="1.0" encoding="UTF-8"?>)"
             "\n<Error><Code>ServiceUnavailable</Code><Message>The server is starting: a store "
             "cannot be reached yet.</Message></Error>");
  }
  response.add_header("Content-Type", "application/json");
  co_await response.send(ctx, R"({"message":"starting: a store cannot be reached yet"})");
}

std::unique_ptr<Core> open_core(const Config& config) {
  std::optional<Room> room;
  auto wait = kFirstPause;
  while (true) {
    try {
      return std::make_unique<Core>(config);
    } catch (const StoreError& error) {
      if (!is_worth_waiting(config, error)) throw;
      log::warn("a store cannot be reached: waiting for it",
                {{"store", error.role() == StoreRole::metadata ? "metadata" : "objects"},
                 {"error", error.message()}});
      if (!room) room.emplace(config);
      room->wait_for_store(error.role());
    }
    if (!pause(wait)) return nullptr;
    wait = std::min(wait * 2, kLongestPause);
  }
}

}  // namespace tarn::app
