#include "io/blocking_pool.h"

#include <atomic>
#include <future>
#include <stdexcept>
#include <thread>
#include <vector>

#include "io/loops.h"
#include "io/task_group.h"
#include "testing/co_test.h"

namespace tarn::io {
namespace {

using namespace std::chrono_literals;

/// A pool of one thread that is busy until release().
struct BusyPool {
  explicit BusyPool(std::size_t queue_max)
      : pool({.name = "test", .threads = 1, .queue_max = queue_max}) {
    std::promise<void> started;
    pool.submit([&started, gate = gate_.get_future()]() mutable {
      started.set_value();
      gate.wait();
    });
    started.get_future().wait();
  }

  ~BusyPool() { release(); }

  void release() {
    if (!std::exchange(released_, true)) gate_.set_value();
  }

 private:
  // Before the pool, which waits for its job, which waits for the gate.
  std::promise<void> gate_;
  bool released_ = false;

 public:
  BlockingPool pool;
};

CO_TEST(BlockingPool, ReturnsTheResultOnTheCallersThread) {
  BlockingPool pool({.name = "test"});
  const auto here = std::this_thread::get_id();
  const auto there = co_await pool.run(ctx, [] { return std::this_thread::get_id(); });
  EXPECT_NE(here, there);
  EXPECT_EQ(here, std::this_thread::get_id());
}

CO_TEST(BlockingPool, WaitsForAJobThatEndsOnAnotherThread) {
  BlockingPool pool({.name = "test", .threads = 2});
  const auto tell_later = [&pool](int result) {
    return [&pool, result](Callback<int> done) {
      pool.submit([d = std::move(done), result]() mutable {
        d(result < 0 ? std::make_exception_ptr(Error(ErrorCode::conflict, "told")) : nullptr,
          std::move(result));
      });
    };
  };
  EXPECT_EQ(co_await pool.run_until_told<int>(ctx, tell_later(7)), 7);
  CO_EXPECT_ERROR(pool.run_until_told<int>(ctx, tell_later(-1)), ErrorCode::conflict);
  Context expired(Context::SteadyClock::now());
  CO_EXPECT_ERROR(pool.run_until_told<int>(expired, tell_later(7)), ErrorCode::deadline_exceeded);
}

CO_TEST(BlockingPool, RunsJobsWithoutResultAndWithMoveOnlyParts) {
  BlockingPool pool({.name = "test"});
  auto target = std::make_shared<int>(0);
  co_await pool.run(ctx, [target, source = std::make_unique<int>(7)] { *target = *source; });
  EXPECT_EQ(*target, 7);
  const auto moved =
      co_await pool.run(ctx, [p = std::make_unique<int>(9)]() mutable { return std::move(p); });
  EXPECT_EQ(*moved, 9);
}

CO_TEST(BlockingPool, RethrowsWhatTheJobThrows) {
  BlockingPool pool({.name = "test"});
  const auto fail = []() -> int { throw Error(ErrorCode::corrupt, "bad block"); };
  CO_EXPECT_ERROR(pool.run(ctx, fail), ErrorCode::corrupt);
  bool caught = false;
  try {
    co_await pool.run(ctx, [] { throw std::out_of_range("x"); });
  } catch (const std::out_of_range&) {
    caught = true;
  }
  EXPECT_TRUE(caught);
  EXPECT_EQ(co_await pool.run(ctx, [] { return 1; }), 1);
}

CO_TEST(BlockingPool, AnswersUnavailableWhenItsQueueIsFull) {
  BusyPool busy(2);
  std::atomic<int> ran = 0;
  busy.pool.submit([&] { ++ran; });
  busy.pool.submit([&] { ++ran; });
  EXPECT_EQ(busy.pool.load(), 3U);
  CO_EXPECT_ERROR(busy.pool.run(ctx, [] {}), ErrorCode::unavailable);
  EXPECT_THROW(busy.pool.submit([] {}), Error);
  busy.release();
  while (busy.pool.load() > 0)
    std::this_thread::yield();
  EXPECT_EQ(ran, 2);
  EXPECT_EQ(co_await busy.pool.run(ctx, [] { return 5; }), 5);
}

CO_TEST(BlockingPool, DoesNotStartAJobWhoseContextHasExpired) {
  BlockingPool pool({.name = "test"});
  Context late(Context::SteadyClock::now() - 1s);
  std::atomic<bool> ran = false;
  CO_EXPECT_ERROR(pool.run(late, [&ran] { ran = true; }), ErrorCode::deadline_exceeded);
  EXPECT_FALSE(ran);
}

TEST(BlockingPool, FinishesQueuedJobsBeforeItIsGone) {
  std::atomic<int> ran = 0;
  {
    BlockingPool pool({.name = "test", .threads = 2});
    for (int i = 0; i < 1'000; ++i)
      pool.submit([&] { ++ran; });
  }
  EXPECT_EQ(ran, 1'000);
}

Task<> run_many(BlockingPool& pool, std::atomic<int>& sum) {
  Context ctx;
  for (int i = 0; i < 200; ++i)
    sum += co_await pool.run(ctx, [] { return 1; });
}

CO_TEST(BlockingPool, ServesSeveralLoopsAtOnce) {
  Loops loops(2);
  BlockingPool pool({.name = "test", .threads = 2});
  TaskGroup group;
  std::atomic<int> sum = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    group.spawn(loops.executor(i % 2), "many", run_many(pool, sum));
  }
  co_await group.join();
  EXPECT_EQ(sum, 1'600);
}

}  // namespace
}  // namespace tarn::io
