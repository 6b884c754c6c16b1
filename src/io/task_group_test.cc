#include "io/task_group.h"

#include <atomic>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include "base/error.h"
#include "base/log.h"
#include "io/loops.h"
#include "io/sync.h"
#include "testing/co_test.h"
#include "testing/temp_dir.h"

namespace tarn::io {
namespace {

using namespace std::chrono_literals;

/// Counts itself up when destroyed: shows that a coroutine's frame is gone.
struct Tombstone {
  std::atomic<int>* count;

  explicit Tombstone(std::atomic<int>& c) : count(&c) {}

  Tombstone(Tombstone&& other) noexcept : count(std::exchange(other.count, nullptr)) {}

  Tombstone& operator=(Tombstone&&) = delete;

  ~Tombstone() {
    if (count != nullptr) ++*count;
  }
};

Task<> run_for_ever(Tombstone /*tombstone*/) {
  while (true)
    co_await sleep(1h);
}

Task<> run_once(std::atomic<int>& ran) {
  co_await yield();
  ++ran;
}

Task<> run_failing() {
  co_await yield();
  throw Error(ErrorCode::corrupt, "bad row");
}

Task<> run_cancelled() {
  throw Error(ErrorCode::cancelled, "cancelled");
  co_return;
}

std::string contents(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

CO_TEST(TaskGroup, JoinWaitsForEveryTask) {
  Loops loops(2);
  TaskGroup group;
  std::atomic<int> ran = 0;
  for (int i = 0; i < 100; ++i)
    EXPECT_TRUE(group.spawn(loops.any(), "once", run_once(ran)));
  co_await group.join();
  EXPECT_EQ(ran, 100);
  EXPECT_EQ(group.size(), 0U);
}

CO_TEST(TaskGroup, JoinReturnsAtOnceWhenEmptyAndMayBeRepeated) {
  TaskGroup group;
  co_await group.join();
  co_await group.join();
  EXPECT_EQ(group.size(), 0U);
}

CO_TEST(TaskGroup, CancelEndsSleepersOnTheirOwnLoops) {
  Loops loops(2);
  TaskGroup group;
  std::atomic<int> gone = 0;
  for (std::size_t i = 0; i < 10; ++i) {
    group.spawn(loops.executor(i % 2), "sleeper", run_for_ever(Tombstone(gone)));
  }
  group.cancel();
  co_await group.join();
  EXPECT_EQ(gone, 10);
}

CO_TEST(TaskGroup, CancelReachesATaskThatWaitsAlready) {
  const auto here = co_await boost::asio::this_coro::executor;
  TaskGroup group;
  std::atomic<int> gone = 0;
  group.spawn(here, "sleeper", run_for_ever(Tombstone(gone)));
  for (int i = 0; i < 10; ++i)
    co_await yield();
  EXPECT_EQ(gone, 0);
  EXPECT_EQ(group.size(), 1U);
  group.cancel();
  co_await group.join();
  EXPECT_EQ(gone, 1);
}

CO_TEST(TaskGroup, RefusesAndDropsNewWorkOnceStopping) {
  const auto here = co_await boost::asio::this_coro::executor;
  TaskGroup group;
  group.cancel();
  std::atomic<int> gone = 0;
  EXPECT_FALSE(group.spawn(here, "late", run_for_ever(Tombstone(gone))));
  EXPECT_EQ(gone, 1);
  co_await group.join();
}

CO_TEST(TaskGroup, LogsWhatEscapesOnceAndCancellationNever) {
  const testing::TempDir dir;
  log::configure({.output = dir.file("log")});
  const auto here = co_await boost::asio::this_coro::executor;
  TaskGroup group;
  std::atomic<int> gone = 0;
  group.spawn(here, "failing-task", run_failing());
  group.spawn(here, "cancelled-task", run_cancelled());
  group.spawn(here, "sleeping-task", run_for_ever(Tombstone(gone)));
  for (int i = 0; i < 10; ++i)
    co_await yield();
  group.cancel();
  co_await group.join();
  log::configure({});
  const std::string text = contents(dir.file("log"));
  const auto first = text.find("failing-task");
  CO_ASSERT_TRUE(first != std::string::npos);
  EXPECT_EQ(text.find("failing-task", first + 1), std::string::npos);
  EXPECT_NE(text.find("code=corrupt"), std::string::npos) << text;
  EXPECT_NE(text.find("bad row"), std::string::npos) << text;
  EXPECT_EQ(text.find("cancelled-task"), std::string::npos) << text;
  EXPECT_EQ(text.find("sleeping-task"), std::string::npos) << text;
}

Task<> run_join(TaskGroup& group, std::atomic<int>& joined) {
  co_await group.join();
  ++joined;
}

CO_TEST(TaskGroup, MayBeJoinedFromSeveralLoops) {
  Loops loops(2);
  TaskGroup joiners;
  std::atomic<int> joined = 0;
  TaskGroup group;
  std::atomic<int> gone = 0;
  group.spawn(loops.executor(0), "sleeper", run_for_ever(Tombstone(gone)));
  joiners.spawn(loops.executor(0), "join", run_join(group, joined));
  joiners.spawn(loops.executor(1), "join", run_join(group, joined));
  for (int i = 0; i < 10; ++i)
    co_await yield();
  EXPECT_EQ(joined, 0);
  group.cancel();
  co_await joiners.join();
  EXPECT_EQ(joined, 2);
  EXPECT_EQ(gone, 1);
}

}  // namespace
}  // namespace tarn::io
