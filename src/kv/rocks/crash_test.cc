// Kills a process that writes, at random moments, and looks for every write it had acknowledged.
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/wait.h>

#include "base/format.h"
#include "io/blocking_pool.h"
#include "io/loops.h"
#include "io/task_group.h"
#include "kv/rocks/rocks_store.h"
#include "testing/co_test.h"
#include "testing/temp_dir.h"

namespace tarn::kv::testing {
namespace {

constexpr int kRounds = 8;
constexpr std::uint32_t kWriters = 8;
constexpr int kReportsFd = 9;
constexpr const char* kTaskVariable = "TARN_CRASH_WRITER";

RocksConfig small_store(const std::string& directory) {
  RocksConfig config{.directory = directory};
  config.memtable_bytes = 256 * 1'024;  // so that kills also hit flushes and log switches
  return config;
}

std::string record_key(std::uint32_t round, std::uint32_t writer, std::uint32_t number) {
  return format("{}/{}/{:08}", round, writer, number);
}

struct Acknowledged {
  std::uint32_t writer;
  std::uint32_t number;
};

/// Each write is reported after it returned. A pipe write this short is atomic.
Task<> write_records(Store& store, std::uint32_t round, std::uint32_t writer, int pipe) {
  Context ctx;
  for (std::uint32_t number = 0;; ++number) {
    const std::string key = record_key(round, writer, number);
    std::vector<Op> ops;
    ops.push_back(
        Op::set_if("records", key, std::string(100 + number % 900, 'x'), Expect::absent()));
    ops.push_back(Op::set("newest", format("{}/{}", round, writer), std::to_string(number)));
    const auto results = co_await store.run(ctx, std::move(ops));
    const Acknowledged record{writer, number};
    if (!results[0].stored || ::write(pipe, &record, sizeof record) != sizeof record) ::_exit(2);
  }
}

struct Child {
  pid_t pid;
  int reports;  // read end of its pipe
};

/// A fresh process, since RocksDB's threads do not survive a fork: this binary again, told to run
/// WriterChild only.
Child start_child(const std::string& directory, std::uint32_t round) {
  int pipe[2];
  if (::pipe2(pipe, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
  const std::string task = format("{}={}:{}", kTaskVariable, round, directory);
  const char* arguments[] = {"writer", "--gtest_filter=WriterChild.*",
                             "--gtest_also_run_disabled_tests", "--gtest_brief=1", nullptr};
  const char* environment[] = {task.c_str(), nullptr};
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::dup2(pipe[1], kReportsFd);
    ::execve("/proc/self/exe", const_cast<char**>(arguments), const_cast<char**>(environment));
    ::_exit(3);
  }
  ::close(pipe[1]);
  return {pid, pipe[0]};
}

TEST(WriterChild, DISABLED_WritesUntilKilled) {
  const char* task = ::getenv(kTaskVariable);
  if (!task) GTEST_SKIP() << "runs as the child of RocksCrash only";
  const std::string text(task);
  const std::size_t colon = text.find(':');
  const auto round = static_cast<std::uint32_t>(std::stoul(text.substr(0, colon)));
  io::BlockingPool pool({.name = "metadata"});
  auto store = RocksStore::open(small_store(text.substr(colon + 1)), pool);
  io::Loops loops(2);
  io::TaskGroup group;
  for (std::uint32_t writer = 0; writer < kWriters; ++writer) {
    group.spawn(loops.any(), "write_records", write_records(*store, round, writer, kReportsFd));
  }
  while (true)
    ::pause();
}

/// How many records each writer had acknowledged when it was killed after `life`.
std::vector<std::uint32_t> crash_round(const std::string& directory, std::uint32_t round,
                                       std::chrono::milliseconds life) {
  const Child child = start_child(directory, round);
  std::vector<std::uint32_t> counts(kWriters, 0);
  Acknowledged record;
  // The first record starts the clock: opening takes as long as it takes.
  std::optional<Context::Deadline> end;
  while (::read(child.reports, &record, sizeof record) == sizeof record) {
    counts.at(record.writer) = record.number + 1;
    const auto now = Context::SteadyClock::now();
    if (!end) end = now + life;
    if (now >= *end) ::kill(child.pid, SIGKILL);
  }
  ::close(child.reports);
  int status = 0;
  ::waitpid(child.pid, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "status " << status;
  return counts;
}

Task<> expect_all(Context& ctx, Store& store, std::uint32_t round,
                  std::vector<std::uint32_t> counts) {
  for (std::uint32_t writer = 0; writer < kWriters; ++writer) {
    std::vector<Address> asked;
    for (std::uint32_t number = 0; number < counts[writer]; ++number) {
      asked.push_back({"records", record_key(round, writer, number)});
    }
    const auto found = co_await store.get_many(ctx, std::move(asked));
    for (std::uint32_t number = 0; number < counts[writer]; ++number) {
      EXPECT_EQ(found[number], std::string(100 + number % 900, 'x'))
          << record_key(round, writer, number);
    }
    const auto newest = co_await store.get(ctx, "newest", format("{}/{}", round, writer));
    if (counts[writer] > 0) {
      EXPECT_GE(std::stoul(newest.value_or("0")) + 1, counts[writer]);
    }
  }
}

CO_TEST(RocksCrash, KilledProcessKeepsEveryAcknowledgedWrite) {
  const tarn::testing::TempDir dir;
  const std::string directory = dir.file("kv");
  std::mt19937 random(std::random_device{}());
  std::vector<std::vector<std::uint32_t>> rounds;
  std::uint64_t total = 0;
  for (std::uint32_t round = 0; round < kRounds; ++round) {
    const std::chrono::milliseconds life(20 + random() % 250);
    rounds.push_back(crash_round(directory, round, life));
    for (const std::uint32_t count : rounds.back())
      total += count;

    io::BlockingPool pool({.name = "metadata"});
    auto store = RocksStore::open(small_store(directory), pool);
    for (std::uint32_t past = 0; past <= round; ++past) {
      co_await expect_all(ctx, *store, past, rounds[past]);
    }
    co_await store->close();
  }
  EXPECT_GT(total, 100u);
  ::testing::Test::RecordProperty("acknowledged", std::to_string(total));
}

}  // namespace
}  // namespace tarn::kv::testing
