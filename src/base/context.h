// What travels with one operation: its deadline and its identity in logs. Nothing else;
// collaborators come by constructor and the principal is an explicit argument.
#pragma once

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>

namespace tarn {

/// First parameter of everything that does I/O. Owned by whoever started the operation (a request,
/// a background task, a test) and outlives every coroutine that takes it by reference.
class Context {
 public:
  using SteadyClock = std::chrono::steady_clock;
  using Deadline = SteadyClock::time_point;

  static constexpr Deadline kNoDeadline = Deadline::max();

  explicit Context(Deadline deadline = kNoDeadline, std::string request_id = {})
      : deadline_(deadline), request_id_(std::move(request_id)) {}

  /// A context that ends after `limit` or with this one, whichever is sooner. Nothing derives a
  /// longer one.
  Context within(SteadyClock::duration limit) const {
    return Context(std::min(deadline_, SteadyClock::now() + limit), request_id_);
  }

  Deadline deadline() const noexcept { return deadline_; }

  bool expired() const noexcept {
    return deadline_ != kNoDeadline && SteadyClock::now() >= deadline_;
  }

  /// Throws Error{deadline_exceeded} once the deadline has passed.
  void check_deadline() const;

  /// Shown in logs and returned to the client; empty for background work without a request.
  std::string_view request_id() const noexcept { return request_id_; }

 private:
  Deadline deadline_;
  std::string request_id_;
};

}  // namespace tarn
