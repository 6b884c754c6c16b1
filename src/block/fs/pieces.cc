#include "block/fs/pieces.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <optional>
#include <utility>

#include "base/error.h"
#include "io/await_callback.h"

namespace tarn::block::fs {

std::shared_ptr<Buffer> BufferPool::take() {
  std::unique_ptr<char[]> bytes;
  {
    const std::lock_guard lock(mutex_);
    if (!kept_.empty()) {
      bytes = std::move(kept_.back());
      kept_.pop_back();
    }
  }
  if (bytes == nullptr) bytes = std::make_unique_for_overwrite<char[]>(kPieceBytes);
  return {new Buffer{std::move(bytes), 0}, [pool = shared_from_this()](Buffer* buffer) {
            {
              const std::lock_guard lock(pool->mutex_);
              if (pool->kept_.size() < kKeptMax) pool->kept_.push_back(std::move(buffer->bytes));
            }
            delete buffer;
          }};
}

Task<> Pieces::fill(Context& ctx, Buffer& out) {
  while (out.size < kPieceBytes && !ended_) {
    if (rest_.empty()) {
      rest_ = co_await body_.read(ctx);
      if (rest_.empty()) {
        ended_ = true;
        break;
      }
      if (rest_.size() > left_) throw Error(ErrorCode::too_large, "object is too large");
      left_ -= rest_.size();
    }
    const auto count = std::min(rest_.size(), kPieceBytes - out.size);
    std::memcpy(out.bytes.get() + out.size, rest_.data(), count);
    out.size += count;
    rest_.remove_prefix(count);
  }
}

std::string_view Pieces::take_large() {
  if (rest_.size() < 2 * kPieceBytes) return {};
  const std::string_view piece = rest_.substr(0, kLargeBytes);
  rest_.remove_prefix(piece.size());
  return piece;
}

struct StartedJob::State {
  std::mutex mutex;
  bool done = false;
  std::exception_ptr error;
  std::optional<io::Callback<char>> waiter;
};

StartedJob::StartedJob(io::BlockingPool& pool, std::move_only_function<void()> job)
    : state_(std::make_shared<State>()) {
  pool.submit([state = state_, work = std::move(job)]() mutable {
    std::exception_ptr error;
    try {
      work();
    } catch (...) {
      error = std::current_exception();
    }
    work = nullptr;  // lets go of what it holds before anyone hears of its end
    std::optional<io::Callback<char>> waiter;
    {
      const std::lock_guard lock(state->mutex);
      state->done = true;
      waiter.swap(state->waiter);
      if (!waiter) state->error = std::move(error);
    }
    if (waiter) (*waiter)(std::move(error), 0);
  });
}

Task<> StartedJob::wait() {
  if (state_ == nullptr) co_return;
  co_await io::await_callback<char>(
      [state = std::exchange(state_, nullptr)](io::Callback<char> done) {
        std::exception_ptr error;
        {
          const std::lock_guard lock(state->mutex);
          if (!state->done) {
            state->waiter = std::move(done);
            return;
          }
          error = std::move(state->error);
        }
        done(std::move(error), 0);
      });
}

}  // namespace tarn::block::fs
