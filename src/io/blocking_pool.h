// Threads for work that blocks or burns CPU, away from the event loops. Bounded: a full queue
// answers `unavailable` at once. One pool per kind of work (metadata, files, images), so that one
// kind cannot starve another.
#pragma once

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "base/context.h"
#include "base/error.h"
#include "base/task.h"
#include "io/await_callback.h"

namespace tarn::io {

class BlockingPool {
 public:
  struct Config {
    std::string name;  // for thread names and metrics, e.g. "files"
    std::size_t threads = 2;
    std::size_t queue_max = 4'096;  // jobs waiting; beyond it run() throws Error{unavailable}
  };

  explicit BlockingPool(Config config);
  /// Finishes the jobs that are queued, then joins.
  ~BlockingPool();
  BlockingPool(const BlockingPool&) = delete;
  BlockingPool& operator=(const BlockingPool&) = delete;

  /// Runs `job` on a pool thread and returns its result on the caller's executor. The job owns its
  /// inputs. What it throws is rethrown here. A job whose context has expired before it starts is
  /// not run: Error{deadline_exceeded}.
  template <class Job>
  Task<std::invoke_result_t<Job&>> run(Context& ctx, Job job) {
    using Result = std::invoke_result_t<Job&>;
    using Slot = std::conditional_t<std::is_void_v<Result>, char, std::optional<Result>>;
    reserve();  // here, where it may throw: nothing may once the coroutine is suspended
    auto start = [this, deadline = ctx.deadline(),
                  work = std::move(job)](Callback<Slot> done) mutable {
      push([deadline, w = std::move(work), d = std::move(done)]() mutable {
        Slot slot{};
        std::exception_ptr error;
        try {
          if (deadline != Context::kNoDeadline && Context::SteadyClock::now() >= deadline) {
            throw Error(ErrorCode::deadline_exceeded, "deadline exceeded in queue");
          }
          if constexpr (std::is_void_v<Result>) {
            w();
          } else {
            slot.emplace(w());
          }
        } catch (...) {
          error = std::current_exception();
        }
        d(std::move(error), std::move(slot));
      });
    };
    if constexpr (std::is_void_v<Result>) {
      co_await await_callback<Slot>(std::move(start));
    } else {
      co_return *co_await await_callback<Slot>(std::move(start));
    }
  }

  /// As run(), for a job whose end comes later than its return: it is handed a Callback<Result> to
  /// call once, from any thread, and must not throw itself.
  template <class Result, class Job>
  Task<Result> run_until_told(Context& ctx, Job job) {
    reserve();
    auto start = [this, deadline = ctx.deadline(),
                  work = std::move(job)](Callback<Result> done) mutable {
      push([deadline, w = std::move(work), d = std::move(done)]() mutable {
        if (deadline != Context::kNoDeadline && Context::SteadyClock::now() >= deadline) {
          d(std::make_exception_ptr(
                Error(ErrorCode::deadline_exceeded, "deadline exceeded in queue")),
            Result{});
        } else {
          w(std::move(d));
        }
      });
    };
    co_return co_await await_callback<Result>(std::move(start));
  }

  /// Queues a job nobody waits for; it must not throw. Throws Error{unavailable} when full.
  void submit(std::move_only_function<void()> job);

  /// Jobs queued or running.
  std::size_t load() const;

 private:
  /// Takes a place in the queue, which push() then fills. Throws Error{unavailable} when full.
  void reserve();
  void push(std::move_only_function<void()> job);

  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tarn::io
