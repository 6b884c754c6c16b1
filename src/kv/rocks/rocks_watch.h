// What RocksDB tells of itself: flushes that begin, and writes that its log did not take.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

#include <rocksdb/listener.h>

namespace tarn::kv {

/// Thread-safe. Belongs to the database it listens to.
class RocksWatch final : public rocksdb::EventListener {
 public:
  void OnFlushBegin(rocksdb::DB*, const rocksdb::FlushJobInfo&) override {
    const std::lock_guard lock(mutex_);
    ++begun_;
    changed_.notify_all();
  }

  void OnBackgroundError(rocksdb::BackgroundErrorReason reason, rocksdb::Status*) override {
    const std::lock_guard lock(mutex_);
    if (reason == rocksdb::BackgroundErrorReason::kWriteCallback) ++log_failures_;
  }

  /// Writes that failed on their own, and not for what a flush had met before them.
  std::uint64_t log_failures() const {
    const std::lock_guard lock(mutex_);
    return log_failures_;
  }

  std::uint64_t begun() const {
    const std::lock_guard lock(mutex_);
    return begun_;
  }

  /// Blocks until more than `before` flushes have begun, but no longer than `most`.
  void wait_for_more(std::uint64_t before, std::chrono::milliseconds most) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, most, [&] { return begun_ > before; });
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_:
  std::uint64_t begun_ = 0;
  std::uint64_t log_failures_ = 0;
};

}  // namespace tarn::kv
