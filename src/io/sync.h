// Waiting without blocking a thread: usable from coroutines on different loops at once.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <utility>

#include "base/context.h"
#include "base/task.h"

namespace tarn::io {

/// Suspends for `duration`, or until the coroutine is cancelled (operation_aborted passes through).
Task<> sleep(std::chrono::steady_clock::duration duration);

/// Lets other work of this loop run. For long loops, every few hundred steps.
Task<> yield();

/// FIFO counting semaphore: bounds concurrency. A permit releases when destroyed.
class Semaphore {
 public:
  class Permit {
   public:
    Permit() = default;

    Permit(Permit&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)) {}

    Permit& operator=(Permit&& other) noexcept;
    ~Permit();

    explicit operator bool() const { return owner_ != nullptr; }

   private:
    friend class Semaphore;

    explicit Permit(Semaphore* owner) : owner_(owner) {}

    Semaphore* owner_ = nullptr;
  };

  explicit Semaphore(std::size_t permits);
  ~Semaphore();
  Semaphore(const Semaphore&) = delete;
  Semaphore& operator=(const Semaphore&) = delete;

  /// Waits in line for a permit. Not cancellable; holders must release in bounded time. Throws
  /// Error{deadline_exceeded} if ctx has expired when the turn comes.
  Task<Permit> acquire(Context& ctx);
  /// A permit if one is free right now.
  Permit try_acquire();
  std::size_t waiting() const;

 private:
  void release();
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tarn::io
