#include "http/watch.h"

#include <utility>

#include <boost/asio/steady_timer.hpp>

namespace tarn::http {

struct Watch::State : std::enable_shared_from_this<State> {
  State(const boost::asio::any_io_executor& executor, std::function<void()> on_end)
      : timer(executor), end(std::move(on_end)) {}

  boost::asio::steady_timer timer;
  std::function<void()> end;
  Time due = Time::max();
  bool sleeping = false;
  bool overdue = false;

  void sleep() {
    sleeping = true;
    timer.expires_at(due);
    timer.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
      if (error) return;
      if (const auto self = weak.lock()) self->wake();
    });
  }

  void wake() {
    sleeping = false;
    if (due == Time::max()) return;
    if (std::chrono::steady_clock::now() < due) return sleep();
    overdue = true;
    due = Time::max();
    end();
  }
};

Watch::Watch(const boost::asio::any_io_executor& executor, std::function<void()> end)
    : state_(std::make_shared<State>(executor, std::move(end))) {}

Watch::~Watch() {
  state_->timer.cancel();
}

void Watch::arm(Time due) {
  state_->due = due;
  state_->overdue = false;
  if (due != Time::max() && (!state_->sleeping || due < state_->timer.expiry())) state_->sleep();
}

void Watch::disarm() {
  state_->due = Time::max();
}

bool Watch::overdue() const {
  return state_->overdue;
}

}  // namespace tarn::http
