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

/// Whether an answer should let the loop's other ready requests be handled before it is sent.
/// Answers that leave together wake a client once instead of once each, which is a fifth of the CPU
/// of a small request. Where no request ever comes meanwhile, waiting is not worth its own cost:
/// then it is only tried now and again.
class Gathering {
 public:
  void request_began() { ++requests_; }

  bool worth_it() {
    if (skips_ == 0) return true;
    --skips_;
    return false;
  }

  std::uint64_t requests() const { return requests_; }

  /// After waiting: `before` is what requests() said.
  void waited(std::uint64_t before) { skips_ = requests_ == before ? kSkips : 0; }

 private:
  static constexpr std::uint32_t kSkips = 16;

  std::uint64_t requests_ = 0;
  std::uint32_t skips_ = 0;
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
  Gathering gathering;
};

}  // namespace tarn::http
