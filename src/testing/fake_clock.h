// A clock that tests set and advance. Thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>

#include "base/time.h"

namespace tarn::testing {

class FakeClock final : public Clock {
 public:
  /// Starts at 2026-01-02 03:04:05 UTC unless told otherwise.
  explicit FakeClock(Timestamp start = {.seconds = 1'767'323'045, .nanos = 0}) : now_(start) {}

  Timestamp now() const override {
    const std::scoped_lock lock(mutex_);
    return now_;
  }

  void set(Timestamp to) {
    const std::scoped_lock lock(mutex_);
    now_ = to;
  }

  void advance(std::chrono::nanoseconds by) {
    constexpr std::int64_t kSecond = 1'000'000'000;
    const std::scoped_lock lock(mutex_);
    const std::int64_t nanos = now_.nanos + by.count() % kSecond;
    now_.seconds += by.count() / kSecond;
    if (nanos >= kSecond) {
      now_ = {.seconds = now_.seconds + 1, .nanos = static_cast<std::int32_t>(nanos - kSecond)};
    } else if (nanos < 0) {
      now_ = {.seconds = now_.seconds - 1, .nanos = static_cast<std::int32_t>(nanos + kSecond)};
    } else {
      now_.nanos = static_cast<std::int32_t>(nanos);
    }
  }

 private:
  mutable std::mutex mutex_;
  Timestamp now_;
};

}  // namespace tarn::testing
