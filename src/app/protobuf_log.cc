#include "app/protobuf_log.h"

#include <atomic>
#include <chrono>

#include <google/protobuf/stubs/logging.h>

#include "base/log.h"

namespace tarn::app {

namespace {

/// True at most once a second.
bool is_due() {
  using Clock = std::chrono::steady_clock;
  static std::atomic<Clock::rep> next = Clock::time_point::min().time_since_epoch().count();
  const auto now = Clock::now();
  Clock::rep due = next.load(std::memory_order_relaxed);
  const Clock::rep later = (now + std::chrono::seconds(1)).time_since_epoch().count();
  return now.time_since_epoch().count() >= due && next.compare_exchange_strong(due, later);
}

/// The message stays out: it may quote what a record holds.
void write_line(google::protobuf::LogLevel /*level*/, const char* file, int line,
                const std::string& /*message*/) {
  if (is_due()) log::warn("protobuf refused a record", {{"file", file}, {"line", line}});
}

}  // namespace

void redirect_protobuf_log() {
  google::protobuf::SetLogHandler(write_line);
}

}  // namespace tarn::app
