#include "block/gate.h"

#include <cstddef>
#include <mutex>
#include <vector>

#include "base/error.h"
#include "io/await_callback.h"

namespace tarn::block {

struct Gate::State {
  std::mutex mutex;
  std::size_t inside = 0;
  bool closed = false;
  std::vector<io::Callback<char>> waiters;
};

Gate::Gate() : state_(std::make_unique<State>()) {}

Gate::~Gate() = default;

Gate::Pass Gate::enter() {
  const std::lock_guard lock(state_->mutex);
  if (state_->closed) throw Error(ErrorCode::unavailable, "object store is closed");
  ++state_->inside;
  return Pass(this);
}

void Gate::leave() {
  std::vector<io::Callback<char>> ready;
  {
    const std::lock_guard lock(state_->mutex);
    if (--state_->inside == 0) ready.swap(state_->waiters);
  }
  for (auto& waiter : ready) {
    waiter(nullptr, 0);
  }
}

Task<> Gate::close() {
  State* state = state_.get();
  co_await io::await_callback<char>([state](io::Callback<char> done) {
    {
      const std::lock_guard lock(state->mutex);
      state->closed = true;
      if (state->inside != 0) {
        state->waiters.push_back(std::move(done));
        return;
      }
    }
    done(nullptr, 0);
  });
}

}  // namespace tarn::block
