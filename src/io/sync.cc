#include "io/sync.h"

#include <deque>
#include <mutex>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/error.h"
#include "io/await_callback.h"

namespace tarn::io {

namespace asio = boost::asio;

Task<> sleep(std::chrono::steady_clock::duration duration) {
  asio::steady_timer timer(co_await asio::this_coro::executor, duration);
  co_await timer.async_wait(asio::use_awaitable);
}

Task<> yield() {
  co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
}

struct Semaphore::State {
  using Waiter = Callback<char>;

  mutable std::mutex mutex;
  std::size_t free;
  std::deque<Waiter> line;  // not empty only while free is 0

  /// Calls `waiter` when its turn comes, which may be now.
  void enter(Waiter waiter) {
    {
      const std::scoped_lock lock(mutex);
      if (free == 0) {
        line.push_back(std::move(waiter));
        return;
      }
      --free;
    }
    waiter(nullptr, 0);
  }

  void leave() {
    Waiter next;
    {
      const std::scoped_lock lock(mutex);
      if (line.empty()) {
        ++free;
        return;
      }
      next = std::move(line.front());
      line.pop_front();
    }
    next(nullptr, 0);  // the permit passes on without being free in between
  }
};

Semaphore::Semaphore(std::size_t permits)
    : state_(new State{.mutex = {}, .free = permits, .line = {}}) {
  TARN_ASSERT(permits > 0);
}

Semaphore::~Semaphore() {
  TARN_ASSERT(waiting() == 0);
}

Task<Semaphore::Permit> Semaphore::acquire(Context& ctx) {
  Permit permit = try_acquire();
  if (!permit) {
    co_await await_callback<char>(
        [state = state_.get()](Callback<char> done) { state->enter(std::move(done)); });
    permit = Permit(this);
  }
  ctx.check_deadline();
  co_return permit;
}

Semaphore::Permit Semaphore::try_acquire() {
  const std::scoped_lock lock(state_->mutex);
  if (state_->free == 0) return {};
  --state_->free;
  return Permit(this);
}

std::size_t Semaphore::waiting() const {
  const std::scoped_lock lock(state_->mutex);
  return state_->line.size();
}

void Semaphore::release() {
  state_->leave();
}

Semaphore::Permit& Semaphore::Permit::operator=(Permit&& other) noexcept {
  if (this != &other) {
    if (owner_ != nullptr) owner_->release();
    owner_ = std::exchange(other.owner_, nullptr);
  }
  return *this;
}

Semaphore::Permit::~Permit() {
  if (owner_ != nullptr) owner_->release();
}

}  // namespace tarn::io
