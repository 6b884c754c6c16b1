// RocksDB's Resume(), beside the writer: version 7.8 may wait in it for ever.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include <rocksdb/convenience.h>
#include <rocksdb/db.h>

namespace tarn::kv {

/// One attempt, from the constructor on.
class Recovery {
 public:
  explicit Recovery(rocksdb::DB& db) : db_(db), thread_([this]() noexcept { work(); }) {}

  /// If the attempt has not ended, it takes the database's background work with it: at the end
  /// only.
  ~Recovery() {
    if (!wait(std::chrono::milliseconds(0))) rocksdb::CancelAllBackgroundWork(&db_, false);
    thread_.join();
  }

  Recovery(const Recovery&) = delete;
  Recovery& operator=(const Recovery&) = delete;

  /// Whether writes work again; nullopt: nobody knows yet.
  std::optional<bool> wait(std::chrono::milliseconds most) {
    std::unique_lock lock(mutex_);
    ended_.wait_for(lock, most, [this] { return outcome_.has_value(); });
    return outcome_;
  }

 private:
  void work() {
    const bool works = db_.Resume().ok();
    const std::lock_guard lock(mutex_);
    outcome_ = works;
    ended_.notify_all();
  }

  rocksdb::DB& db_;
  std::mutex mutex_;
  std::condition_variable ended_;
  std::optional<bool> outcome_;  // guarded by mutex_
  std::thread thread_;           // last: it uses everything above
};

}  // namespace tarn::kv
