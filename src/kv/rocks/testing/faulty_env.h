// A RocksDB file system whose disk can fill up, or stop answering, on demand. Test code only.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

namespace tarn::kv::testing {

/// Thread-safe; shared by the files that are open.
class DiskFaults {
 public:
  /// Appends write half of their bytes and fail.
  void fill() { full_ = true; }

  /// As fill(), but for table files only: flushes and compactions fail, the log does not.
  void fill_for_tables() { full_for_tables_ = true; }

  void make_space() { full_ = full_for_tables_ = false; }

  bool full(bool table) const { return full_ || (table && full_for_tables_); }

  /// Syncs wait until release().
  void hold_syncs() {
    std::lock_guard lock(mutex_);
    held_ = true;
  }

  void release() {
    std::lock_guard lock(mutex_);
    held_ = false;
    changed_.notify_all();
  }

  /// Blocks until a sync has begun that is being held.
  void await_held_sync() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return waiting_ > 0; });
  }

  void on_sync() {
    ++syncs_;
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return !held_; });
    --waiting_;
  }

  int syncs() const { return syncs_; }

 private:
  std::atomic<bool> full_ = false;
  std::atomic<bool> full_for_tables_ = false;
  std::atomic<int> syncs_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool held_ = false;
  int waiting_ = 0;
};

class FaultyFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  FaultyFile(std::unique_ptr<rocksdb::FSWritableFile> file, bool table, DiskFaults& faults)
      : FSWritableFileOwnerWrapper(std::move(file)), table_(table), faults_(faults) {}

  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           rocksdb::IODebugContext* debug) override {
    if (!faults_.full(table_)) return FSWritableFileOwnerWrapper::Append(data, options, debug);
    const rocksdb::Slice half(data.data(), data.size() / 2);
    static_cast<void>(FSWritableFileOwnerWrapper::Append(half, options, debug));
    return rocksdb::IOStatus::NoSpace("injected");
  }

  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           const rocksdb::DataVerificationInfo&,
                           rocksdb::IODebugContext* debug) override {
    return Append(data, options, debug);
  }

  rocksdb::IOStatus Sync(const rocksdb::IOOptions& options,
                         rocksdb::IODebugContext* debug) override {
    faults_.on_sync();
    return FSWritableFileOwnerWrapper::Sync(options, debug);
  }

 private:
  bool table_;
  DiskFaults& faults_;
};

class FaultyFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  explicit FaultyFileSystem(DiskFaults& faults)
      : FileSystemWrapper(rocksdb::FileSystem::Default()), faults_(faults) {}

  const char* Name() const override { return "FaultyFileSystem"; }

  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* result,
                                    rocksdb::IODebugContext* debug) override {
    rocksdb::IOStatus status = FileSystemWrapper::NewWritableFile(name, options, result, debug);
    if (status.ok()) {
      *result = std::make_unique<FaultyFile>(std::move(*result), name.ends_with(".sst"), faults_);
    }
    return status;
  }

 private:
  DiskFaults& faults_;
};

/// Must outlive the store that uses env().
class FaultyDisk {
 public:
  FaultyDisk() : env_(rocksdb::NewCompositeEnv(std::make_shared<FaultyFileSystem>(faults))) {}

  rocksdb::Env* env() { return env_.get(); }

  DiskFaults faults;

 private:
  std::unique_ptr<rocksdb::Env> env_;
};

}  // namespace tarn::kv::testing
