// Counters, gauges and latency histograms in Prometheus' data model. Look a series up once (a
// constructor), keep the reference, update it lock-free. Series live as long as the process.
// Names: tarn_<layer>_<what>_<unit>; no label value comes from user input.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace tarn::metrics {

using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

class Counter {
 public:
  void add(std::uint64_t count = 1) { value_.fetch_add(count, std::memory_order_relaxed); }

  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

class Gauge {
 public:
  void add(std::int64_t delta) { value_.fetch_add(delta, std::memory_order_relaxed); }

  void set(std::int64_t value) { value_.store(value, std::memory_order_relaxed); }

  std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

/// Seconds, in buckets that double from 10 us to about 84 s.
class Histogram {
 public:
  static constexpr std::size_t kBuckets = 24;
  void observe(std::chrono::nanoseconds took);
  std::uint64_t count() const;

  std::array<std::atomic<std::uint64_t>, kBuckets + 1> buckets{};  // last = above all bounds
  std::atomic<std::uint64_t> sum_ns{0};
};

/// Finds or makes the series. `help` of the first caller wins.
Counter& counter(std::string_view name, std::string_view help, Labels labels = {});
Gauge& gauge(std::string_view name, std::string_view help, Labels labels = {});
Histogram& histogram(std::string_view name, std::string_view help, Labels labels = {});

/// Everything in the Prometheus text exposition format 0.0.4, with the process's own CPU and RSS.
std::string render();

}  // namespace tarn::metrics
