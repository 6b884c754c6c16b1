// The queue of staging tokens nothing refers to any more, and emptying it (storage-format.md 4.7).
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/task.h"
#include "base/time.h"
#include "kv/store.h"

namespace tarn::versioning {

struct CleanupPass {
  std::size_t tokens_max = 512;  // most tokens looked at
  std::size_t batch_keys = 500;  // erased per round trip
  /// A token is left alone until this process has seen it queued for so long: readers that took
  /// the branch record just before a commit may still be reading its records.
  std::chrono::milliseconds min_age{0};
};

struct CleanupResult {
  std::size_t removed = 0;  // tokens emptied and taken off the queue
  bool more = false;        // the queue held more than tokens_max, or some were too young
};

/// Thread-safe. Several servers may clean up at once: erasing is idempotent.
class Cleanup {
 public:
  Cleanup(kv::Store& kv, Clock& clock) : kv_(kv), clock_(clock) {}

  /// Only after the branch record that dropped the tokens is stored.
  Task<> enqueue(Context& ctx, const std::vector<std::string>& tokens);
  /// The same as a step of kv::Store::run().
  static kv::Op enqueue_op(std::string token);

  /// One pass over the queue in random order; each token's records first, its queue record last.
  Task<CleanupResult> run_pass(Context& ctx, CleanupPass pass = {});

 private:
  Task<> remove_token(Context& ctx, const std::string& token, std::size_t batch_keys);
  bool old_enough(const std::string& token, std::chrono::milliseconds min_age);

  kv::Store& kv_;
  Clock& clock_;
  std::mutex mutex_;
  std::map<std::string, Timestamp> first_seen_;  // guarded by mutex_; only tokens in the queue
};

}  // namespace tarn::versioning
