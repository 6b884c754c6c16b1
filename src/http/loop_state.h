// What the connections of one loop share, and the loop's small cached things.
#pragma once

#include <atomic>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <unordered_set>

#include "base/time.h"
#include "http/message.h"
#include "http/server.h"
#include "http/server_metrics.h"
#include "http/wire.h"

namespace tarn::http {

class Connection;

/// UUIDs for requests: unique, not secret. Seeded from the operating system.
class RequestIds {
 public:
  RequestIds();
  /// Version 4, lower-case canonical text.
  std::string next();

 private:
  std::mt19937_64 random_;
};

/// "Sat, 21 Nov 2026 10:00:00 GMT", made once a second.
class HttpDate {
 public:
  std::string_view now();

 private:
  SystemClock clock_;
  std::int64_t second_ = -1;
  std::string text_;
};

/// Used on its loop only, but for `draining`. Outlives its connections.
struct LoopState {
  const ServerConfig& config;
  Handler& handler;
  const std::atomic<bool>& draining;
  ServerMetrics& metrics;
  Ticks ticks;
  std::unordered_set<Connection*> connections;
  RequestIds ids;
  HttpDate date;
};

}  // namespace tarn::http
