#include "app/server.h"

#include <csignal>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include "app/blocking_wait.h"
#include "app/control.h"
#include "app/dispatcher.h"
#include "app/readiness.h"
#include "base/error.h"
#include "base/log.h"
#include "io/sync.h"
#include "rest/api.h"
#include "s3gw/gateway.h"

namespace tarn::app {

struct Server::Edges {
  Edges(const Config& config, Core& core)
      : rest({.catalog = *core.catalog, .authority = *core.authority, .clock = core.clock},
             {.default_namespace_prefix = config.default_namespace_prefix,
              .json_body_bytes_max = config.json_body_bytes_max,
              .secure_cookies = config.tls_enabled}),
        s3({.catalog = *core.catalog, .authority = *core.authority, .clock = core.clock},
           {.domains = config.s3_domains, .region = config.s3_region}),
        readiness(*core.kv, *core.objects, core.loops),
        dispatcher(rest, s3, readiness, config.s3_domains),
        http(config.server, core.loops, dispatcher) {
    if (config.database == DatabaseType::local) {
      control = std::make_unique<ControlSocket>(config.database_path, *core.kv, core.loops.any());
    }
  }

  rest::Api rest;
  s3gw::Gateway s3;
  Readiness readiness;
  Dispatcher dispatcher;
  http::Server http;
  std::unique_ptr<ControlSocket> control;  // with an embedded store only
};

Server::Server(const Config& config, Core& core)
    : core_(core),
      shutdown_delay_(config.shutdown_delay),
      edges_(std::make_unique<Edges>(config, core)) {}

Server::~Server() = default;

void Server::start() {
  core_.engine->start();
  edges_->http.start();
  edges_->readiness.start();
  if (edges_->control == nullptr) return;
  try {
    edges_->control->start();
  } catch (const Error& error) {
    log::warn("no backups while running", {{"error", error.message()}});
  }
}

std::uint16_t Server::port() const {
  return edges_->http.port();
}

void Server::run_until_signal() {
  boost::asio::io_context waiting;
  boost::asio::signal_set signals(waiting, SIGINT, SIGTERM, SIGHUP);
  for (bool stopping = false; !stopping;) {
    int received = 0;
    signals.async_wait([&](const boost::system::error_code&, int number) { received = number; });
    waiting.restart();
    waiting.run();
    if (received == SIGHUP) {
      try {
        edges_->http.reload_tls();
        log::info("reloaded");
      } catch (const Error& error) {
        log::error("reload failed, the old certificate stays", {{"error", error.message()}});
      }
    } else {
      stopping = true;
    }
  }
  // A second signal from here on ends the process at once.
  signals.clear();
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
  announce_stop();
  log::info("stopping: finishing requests in flight");
  wait_for(core_.loops.any(), edges_->http.stop());
  if (edges_->control != nullptr) wait_for(core_.loops.any(), edges_->control->stop());
  wait_for(core_.loops.any(), edges_->readiness.stop());
  log::info("stopped");
}

/// Gives whoever asks /_ready the time to send requests elsewhere.
void Server::announce_stop() {
  edges_->readiness.drain();
  if (shutdown_delay_.count() == 0) return;
  log::info("stopping soon: not ready any more", {{"delay_ms", shutdown_delay_.count()}});
  wait_for(core_.loops.any(), io::sleep(shutdown_delay_));
}

}  // namespace tarn::app
