// The server's series, looked up once.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string_view>

#include "base/metrics.h"

namespace tarn::http {

class ServerMetrics {
 public:
  ServerMetrics();

  void request_done(std::string_view method, std::uint16_t status, std::chrono::nanoseconds took);

  metrics::Gauge& connections;
  metrics::Gauge& in_flight;
  metrics::Counter& bytes_in;
  metrics::Counter& bytes_out;
  metrics::Counter& refused;  // heads no handler saw: malformed, too large, too slow

 private:
  static constexpr std::size_t kMethods = 6;
  static constexpr std::size_t kClasses = 5;

  std::array<std::array<metrics::Counter*, kClasses>, kMethods> requests_;
  std::array<metrics::Histogram*, kMethods> seconds_;
};

}  // namespace tarn::http
