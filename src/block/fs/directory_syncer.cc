#include "block/fs/directory_syncer.h"

#include <cerrno>
#include <exception>
#include <memory>
#include <optional>

#include "base/metrics.h"

namespace tarn::block::fs {

namespace {

metrics::Counter& syncs() {
  static metrics::Counter& counter =
      metrics::counter("tarn_block_dir_syncs", "Directory syncs made by the local object store");
  return counter;
}

metrics::Counter& requests() {
  static metrics::Counter& counter = metrics::counter(
      "tarn_block_dir_sync_requests", "Directory syncs asked for in the local object store");
  return counter;
}

/// Each gets an exception of its own: they go on on different threads.
void tell(std::vector<io::Callback<char>>& waiters, const std::optional<Error>& failure) {
  for (auto& waiter : waiters) {
    waiter(failure ? std::make_exception_ptr(*failure) : nullptr, 0);
  }
}

}  // namespace

Task<> DirectorySyncer::sync(DirectoryPtr directory) {
  requests().add();
  co_await io::await_callback<char>(
      [this, directory](Waiter waiter) { enlist(directory, std::move(waiter)); });
}

std::vector<DirectorySyncer::Waiter> DirectorySyncer::claim(Key key, DirectoryPtr& directory,
                                                            Waiter waiter) {
  std::vector<Waiter> waiters;
  const std::lock_guard lock(mutex_);
  auto [slot, idle] = running_.try_emplace(key);
  if (idle) {
    waiters.push_back(std::move(waiter));
  } else {
    if (slot->second.next.empty()) slot->second.directory = std::move(directory);
    slot->second.next.push_back(std::move(waiter));
  }
  return waiters;
}

void DirectorySyncer::enlist(DirectoryPtr directory, Waiter waiter) {
  const Key key{directory->device, directory->inode};
  std::vector<Waiter> waiters = claim(key, directory, std::move(waiter));
  if (!waiters.empty()) start(key, std::move(directory), std::move(waiters));
}

void DirectorySyncer::sync_here(DirectoryPtr directory, Waiter waiter) {
  requests().add();
  const Key key{directory->device, directory->inode};
  std::vector<Waiter> waiters = claim(key, directory, std::move(waiter));
  if (!waiters.empty()) run(key, directory, std::move(waiters));
}

void DirectorySyncer::start(Key key, DirectoryPtr directory, std::vector<Waiter> waiters) {
  // Kept outside the job, so that a queue that refuses it does not lose the waiters.
  auto shared = std::make_shared<std::vector<Waiter>>(std::move(waiters));
  std::optional<Error> refused;
  try {
    pool_.submit(
        [this, key, directory, shared]() mutable { run(key, directory, std::move(*shared)); });
    return;
  } catch (const Error& error) {
    refused = error;
  }
  go_on(key);
  tell(*shared, refused);
}

void DirectorySyncer::run(Key key, const DirectoryPtr& directory, std::vector<Waiter> waiters) {
  std::optional<Error> failure;
  try {
    syncs().add();
    if (files_.sync_directory(directory->fd.get()) != 0) throw_errno(errno, "sync directory");
  } catch (const Error& error) {
    failure = error;
  }
  go_on(key);  // first: once its last waiter was told, the syncer may be gone
  tell(waiters, failure);
}

/// Starts the next sync if someone waits for one.
void DirectorySyncer::go_on(Key key) {
  DirectoryPtr directory;
  std::vector<Waiter> next;
  {
    const std::lock_guard lock(mutex_);
    const auto slot = running_.find(key);
    if (slot->second.next.empty()) {
      running_.erase(slot);
      return;
    }
    next.swap(slot->second.next);
    directory = std::move(slot->second.directory);
  }
  start(key, std::move(directory), std::move(next));
}

}  // namespace tarn::block::fs
