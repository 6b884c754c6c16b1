// A deadline over the operations of one connection, for the client: armed before each, it ends the
// one that takes too long. One timer that mostly sleeps; arming is an assignment.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include <boost/asio/any_io_executor.hpp>

namespace tarn::http {

/// Used on its executor only.
class Watch {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// `end` is called when time is up, and never after the watch is gone.
  Watch(const boost::asio::any_io_executor& executor, std::function<void()> end);
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  void arm(Time due);
  void disarm();
  /// Whether time was up since arm().
  bool overdue() const;

 private:
  struct State;
  std::shared_ptr<State> state_;  // the timer's handler looks whether it is still there
};

}  // namespace tarn::http
