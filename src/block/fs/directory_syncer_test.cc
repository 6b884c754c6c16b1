#include "block/fs/directory_syncer.h"

#include <cerrno>
#include <condition_variable>
#include <mutex>

#include <fcntl.h>

#include "block/fs/fs_test_tools.h"
#include "testing/co_test.h"
#include "testing/temp_dir.h"

namespace tarn::block::fs {
namespace {

/// Counts syncs; the first one waits until `askers` requests were made.
class CountingFiles final : public Files {
 public:
  int sync_directory(int) override {
    std::unique_lock lock(mutex_);
    if (++syncs_ == 1) condition_.wait(lock, [this] { return asked_ >= askers; });
    if (error_ != 0) {
      errno = error_;
      return -1;
    }
    return 0;
  }

  void ask() {
    const std::lock_guard lock(mutex_);
    ++asked_;
    condition_.notify_all();
  }

  int syncs() {
    const std::lock_guard lock(mutex_);
    return syncs_;
  }

  int askers = 0;
  int error_ = 0;

 private:
  std::mutex mutex_;
  std::condition_variable condition_;
  int syncs_ = 0, asked_ = 0;
};

class DirectorySyncerTest : public ::testing::Test {
 public:
  DirectoryPtr open_directory(std::uint64_t inode) const {
    Fd fd(::open(dir.str().c_str(), O_RDONLY | O_DIRECTORY));
    return std::make_shared<const Directory>(Directory{std::move(fd), 1, inode});
  }

  tarn::testing::TempDir dir;
  CountingFiles files;
  io::BlockingPool pool{{.name = "files"}};
  DirectorySyncer syncer{files, pool};
  int failures = 0;
};

Task<> ask(DirectorySyncerTest& self, std::uint64_t inode) {
  auto waiting = self.syncer.sync(self.open_directory(inode));
  self.files.ask();
  try {
    co_await std::move(waiting);
  } catch (const Error&) {
    ++self.failures;
  }
}

CO_TEST_F(DirectorySyncerTest, SharesOneSyncAmongThoseWhoCameDuringTheOneBefore) {
  self.files.askers = 10;
  co_await run_together(10, [&self](int) { return ask(self, 7); });
  // The last to ask may have been counted just before it stood in line, so one more may be needed.
  EXPECT_GE(self.files.syncs(), 2);
  EXPECT_LE(self.files.syncs(), 3);
}

Task<> ask_from_a_job(DirectorySyncerTest& self, std::uint64_t inode) {
  Context ctx;
  try {
    co_await self.pool.run_until_told<char>(ctx, [&self, inode](io::Callback<char> done) {
      self.files.ask();
      self.syncer.sync_here(self.open_directory(inode), std::move(done));
    });
  } catch (const Error&) {
    ++self.failures;
  }
}

CO_TEST_F(DirectorySyncerTest, SyncsForJobsOnTheirOwnThread) {
  co_await ask_from_a_job(self, 7);
  EXPECT_EQ(self.files.syncs(), 1);
  co_await run_together(10, [&self](int) { return ask_from_a_job(self, 7); });
  EXPECT_GE(self.files.syncs(), 2);
  EXPECT_LE(self.files.syncs(), 11);
  self.files.error_ = EIO;
  co_await run_together(10, [&self](int) { return ask_from_a_job(self, 7); });
  EXPECT_EQ(self.failures, 10);
}

CO_TEST_F(DirectorySyncerTest, TellsEveryoneWhoSharedAFailedSync) {
  self.files.askers = 10;
  self.files.error_ = EIO;
  co_await run_together(10, [&self](int) { return ask(self, 7); });
  EXPECT_EQ(self.failures, 10);
}

CO_TEST_F(DirectorySyncerTest, KeepsDirectoriesApart) {
  co_await run_together(4, [&self](int i) { return ask(self, static_cast<std::uint64_t>(i)); });
  EXPECT_EQ(self.files.syncs(), 4);
}

CO_TEST_F(DirectorySyncerTest, AQueueThatIsFullFailsTheRequestAndNothingElse) {
  io::BlockingPool closed({.name = "tiny", .threads = 1, .queue_max = 0});
  DirectorySyncer syncer(self.files, closed);
  CO_EXPECT_ERROR(syncer.sync(self.open_directory(1)), ErrorCode::unavailable);
  CO_EXPECT_ERROR(syncer.sync(self.open_directory(1)), ErrorCode::unavailable);
}

}  // namespace
}  // namespace tarn::block::fs
