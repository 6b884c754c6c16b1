#include "http/server_metrics.h"

#include <algorithm>
#include <cstddef>

namespace tarn::http {

namespace {

// Methods are user input: only these become label values.
constexpr std::array<std::string_view, 6> kMethodNames = {"GET",  "HEAD",   "PUT",
                                                          "POST", "DELETE", "other"};
constexpr std::array<std::string_view, 5> kClassNames = {"1xx", "2xx", "3xx", "4xx", "5xx"};

std::size_t method_index(std::string_view method) {
  const auto last = kMethodNames.end() - 1;
  return static_cast<std::size_t>(std::find(kMethodNames.begin(), last, method) -
                                  kMethodNames.begin());
}

}  // namespace

ServerMetrics::ServerMetrics()
    : connections(metrics::gauge("tarn_http_connections", "Open client connections")),
      in_flight(metrics::gauge("tarn_http_requests_in_flight", "Requests being handled")),
      bytes_in(metrics::counter("tarn_http_received_bytes_total", "Bytes received from clients")),
      bytes_out(metrics::counter("tarn_http_sent_bytes_total", "Bytes sent to clients")),
      refused(metrics::counter("tarn_http_refused_heads_total",
                               "Requests answered before any handler saw them")) {
  for (std::size_t m = 0; m < kMethods; ++m) {
    for (std::size_t c = 0; c < kClasses; ++c) {
      requests_[m][c] =
          &metrics::counter("tarn_http_requests_total", "Requests answered",
                            {{"method", kMethodNames[m]}, {"status", kClassNames[c]}});
    }
    seconds_[m] = &metrics::histogram("tarn_http_request_seconds",
                                      "From the end of a request's head to the end of its response",
                                      {{"method", kMethodNames[m]}});
  }
}

void ServerMetrics::request_done(std::string_view method, std::uint16_t status,
                                 std::chrono::nanoseconds took) {
  const std::size_t m = method_index(method);
  const std::size_t c = std::clamp<std::size_t>(status / 100, 1, kClasses) - 1;
  requests_[m][c]->add();
  seconds_[m]->observe(took);
}

}  // namespace tarn::http
