// Makes names in directories durable, many at a time: whoever asks while a sync of the same
// directory is under way shares the next one.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "base/context.h"
#include "base/task.h"
#include "block/fs/volume.h"
#include "io/await_callback.h"
#include "io/blocking_pool.h"

namespace tarn::block::fs {

/// Thread-safe. Counts tarn_block_dir_syncs and tarn_block_dir_sync_requests.
class DirectorySyncer {
 public:
  DirectorySyncer(Files& files, io::BlockingPool& pool) : files_(files), pool_(pool) {}

  /// Returns once a sync of the directory that began after this call has succeeded. Throws. The
  /// wait cannot be cut short; destroy the syncer only when nobody waits.
  Task<> sync(DirectoryPtr directory);

  using Waiter = io::Callback<char>;

  /// The same for a pool job: tells `waiter` in the end, and syncs on this thread unless a sync is
  /// under way. Does not throw.
  void sync_here(DirectoryPtr directory, Waiter waiter);

 private:
  using Key = std::pair<std::uint64_t, std::uint64_t>;  // device, inode

  void enlist(DirectoryPtr directory, Waiter waiter);
  /// Puts `waiter` in line if a sync of the directory is under way; else one is now, and it is
  /// back.
  std::vector<Waiter> claim(Key key, DirectoryPtr& directory, Waiter waiter);
  void start(Key key, DirectoryPtr directory, std::vector<Waiter> waiters);
  void run(Key key, const DirectoryPtr& directory, std::vector<Waiter> waiters);
  void go_on(Key key);

  struct Pending {
    DirectoryPtr directory;  // of the first who waits for the next sync
    std::vector<Waiter> next;
  };

  Files& files_;
  io::BlockingPool& pool_;
  std::mutex mutex_;
  std::map<Key, Pending> running_;  // by mutex_; an entry while a sync is queued or running
};

}  // namespace tarn::block::fs
