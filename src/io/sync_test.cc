#include "io/sync.h"

#include <algorithm>
#include <atomic>
#include <vector>

#include <boost/asio/this_coro.hpp>

#include "base/error.h"
#include "io/loops.h"
#include "io/task_group.h"
#include "testing/co_test.h"

namespace tarn::io {
namespace {

using namespace std::chrono_literals;

Task<> run_record(Semaphore& semaphore, std::vector<int>& order, int mark) {
  Context ctx;
  const auto permit = co_await semaphore.acquire(ctx);
  order.push_back(mark);
}

CO_TEST(Semaphore, LetsWaitersInInTheOrderTheyCame) {
  const auto here = co_await boost::asio::this_coro::executor;
  Semaphore semaphore(1);
  TaskGroup group;
  std::vector<int> order;
  auto held = co_await semaphore.acquire(ctx);
  for (int i = 0; i < 5; ++i)
    group.spawn(here, "waiter", run_record(semaphore, order, i));
  while (semaphore.waiting() < 5)
    co_await yield();
  EXPECT_TRUE(order.empty());
  EXPECT_FALSE(semaphore.try_acquire());
  held = {};
  co_await group.join();
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4}));
  EXPECT_TRUE(semaphore.try_acquire());
}

CO_TEST(Semaphore, ReleasesWithThePermitHoweverItMoves) {
  Semaphore semaphore(2);
  auto one = co_await semaphore.acquire(ctx);
  auto two = semaphore.try_acquire();
  CO_ASSERT_TRUE(two);
  EXPECT_FALSE(semaphore.try_acquire());
  one = std::move(two);
  EXPECT_FALSE(two);  // NOLINT(bugprone-use-after-move): that is the point
  auto three = semaphore.try_acquire();
  EXPECT_TRUE(three);
  EXPECT_FALSE(semaphore.try_acquire());
}

CO_TEST(Semaphore, GivesThePermitBackWhenTheDeadlineHasPassed) {
  Semaphore semaphore(1);
  Context late(Context::SteadyClock::now() - 1s);
  CO_EXPECT_ERROR(semaphore.acquire(late), ErrorCode::deadline_exceeded);
  EXPECT_TRUE(semaphore.try_acquire());
}

struct Load {
  Semaphore semaphore{3};
  std::atomic<int> inside = 0;
  std::atomic<int> inside_max = 0;
  std::atomic<int> done = 0;
};

Task<> run_load(Load& load) {
  Context ctx;
  for (int i = 0; i < 100; ++i) {
    const auto permit = co_await load.semaphore.acquire(ctx);
    const int now = ++load.inside;
    int seen = load.inside_max;
    while (now > seen && !load.inside_max.compare_exchange_weak(seen, now)) {
    }
    co_await yield();
    --load.inside;
    ++load.done;
  }
}

CO_TEST(Semaphore, HoldsItsBoundAcrossLoops) {
  Load load;
  Loops loops(3);
  TaskGroup group;
  for (std::size_t i = 0; i < 12; ++i)
    group.spawn(loops.executor(i % 3), "load", run_load(load));
  co_await group.join();
  EXPECT_EQ(load.done, 1'200);
  EXPECT_EQ(load.inside, 0);
  EXPECT_LE(load.inside_max, 3);
  EXPECT_GE(load.inside_max, 2);
}

CO_TEST(Sleep, LastsAtLeastItsDuration) {
  const auto start = std::chrono::steady_clock::now();
  co_await sleep(5ms);
  EXPECT_GE(std::chrono::steady_clock::now() - start, 5ms);
}

CO_TEST(Yield, LetsOthersOfTheLoopRun) {
  const auto here = co_await boost::asio::this_coro::executor;
  Semaphore semaphore(1);
  TaskGroup group;
  std::vector<int> order;
  group.spawn(here, "other", run_record(semaphore, order, 1));
  for (int i = 0; i < 10 && order.empty(); ++i)
    co_await yield();
  EXPECT_EQ(order.size(), 1U);
  co_await group.join();
}

}  // namespace
}  // namespace tarn::io
