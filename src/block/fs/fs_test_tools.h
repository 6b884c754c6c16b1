// Helpers of this folder's tests.
#pragma once

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include <boost/asio/this_coro.hpp>

#include "base/task.h"
#include "block/fs/files.h"
#include "io/task_group.h"

namespace tarn::block::fs {

/// Files anywhere below the directory for half-written objects.
inline std::size_t temp_files(const std::string& root) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root + "/.tarn/tmp")) {
    if (!entry.is_directory()) ++count;
  }
  return count;
}

/// Runs task(0) .. task(count - 1) concurrently on the caller's loop until all have ended.
inline Task<> run_together(int count, const std::function<Task<>(int)>& task) {
  io::TaskGroup group;
  const auto executor = co_await boost::asio::this_coro::executor;
  for (int i = 0; i < count; ++i) {
    group.spawn(executor, "test", task(i));
  }
  co_await group.join();
}

/// Makes the n-th call fail that can fail in earnest.
class FaultyFiles final : public Files {
 public:
  void fail_nth(std::uint64_t nth, int error) {
    calls_ = 0;
    nth_ = nth;
    error_ = error;
  }

  bool has_failed() const { return calls_ >= nth_; }

  const char* failed_call() const { return failed_call_; }

  int open(int dir, const std::string& path, int flags, mode_t mode) override {
    return fails("open") ? -1 : Files::open(dir, path, flags, mode);
  }

  int mkdir(int dir, const std::string& name, mode_t mode) override {
    return fails("mkdir") ? -1 : Files::mkdir(dir, name, mode);
  }

  int rename(int from_dir, const std::string& from, int to_dir, const std::string& to) override {
    return fails("rename") ? -1 : Files::rename(from_dir, from, to_dir, to);
  }

  int fstat(int fd, struct ::stat* out) override {
    return fails("fstat") ? -1 : Files::fstat(fd, out);
  }

  ssize_t pread(int fd, char* out, std::size_t count, std::uint64_t at) override {
    return fails("pread") ? -1 : Files::pread(fd, out, std::min<std::size_t>(count, 100'000), at);
  }

  ssize_t pwrite(int fd, const char* bytes, std::size_t count, std::uint64_t at) override {
    return fails("pwrite") ? -1
                           : Files::pwrite(fd, bytes, std::min<std::size_t>(count, 100'000), at);
  }

  ssize_t copy_range(int from, std::uint64_t from_at, int to, std::uint64_t to_at,
                     std::size_t count) override {
    if (no_copy_range) {
      errno = EXDEV;
      return -1;
    }
    return fails("copy_range") ? -1 : Files::copy_range(from, from_at, to, to_at, count);
  }

  ssize_t send(int socket, int fd, std::uint64_t at, std::size_t count) override {
    return fails("send") ? -1 : Files::send(socket, fd, at, count);
  }

  int sync_data(int fd) override { return fails("sync_data") ? -1 : Files::sync_data(fd); }

  int sync_directory(int fd) override {
    return fails("sync_directory") ? -1 : Files::sync_directory(fd);
  }

  bool is_cached(int fd, std::uint64_t at, std::size_t count) override {
    return !nothing_cached && Files::is_cached(fd, at, count);
  }

  bool no_copy_range = false;
  bool nothing_cached = false;

 private:
  bool fails(const char* call) {
    if (++calls_ != nth_) return false;
    failed_call_ = call;
    errno = error_;
    return true;
  }

  std::atomic<std::uint64_t> calls_ = 0, nth_ = UINT64_MAX;
  std::atomic<int> error_ = 0;
  std::atomic<const char*> failed_call_ = "";
};

}  // namespace tarn::block::fs
