// The one thread that writes. It drains the queue into one WriteBatch and one sync: while the disk
// is busy with a batch the next one gathers, so groups grow with load and an idle store never
// waits. Conditions are decided here, one step after the other, so they need no locks or retries.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include <rocksdb/db.h>

#include "base/context.h"
#include "base/metrics.h"
#include "io/await_callback.h"
#include "kv/rocks/recovery.h"
#include "kv/rocks/rocks_store.h"
#include "kv/rocks/rocks_watch.h"
#include "kv/store.h"

namespace tarn::kv {

class GroupWriter {
 public:
  using Done = io::Callback<std::vector<OpResult>>;

  /// `log_works`: something has been written since the database was opened.
  GroupWriter(rocksdb::DB& db, std::shared_ptr<RocksWatch> watch, const RocksConfig& config,
              bool log_works);
  ~GroupWriter();
  GroupWriter(const GroupWriter&) = delete;
  GroupWriter& operator=(const GroupWriter&) = delete;

  /// Queues the steps; `done` is called once, here (queue full, stopped) or on the writer thread
  /// after the steps are durable. Does not throw.
  void submit(std::vector<Op> ops, Context::Deadline deadline, Done done);

  /// Refuses new work, commits what is queued, ends the thread. Blocking, idempotent.
  void stop();

 private:
  struct Job {
    std::vector<Op> ops;
    Context::Deadline deadline;
    Done done;
    std::size_t bytes = 0;
    std::vector<OpResult> results;
    std::exception_ptr error;
    bool needs_batch = false;  // wrote to the batch, or read from it
  };
  class Batch;

  void work();
  /// Takes the next group; empty = stopped and drained.
  std::vector<Job> take();
  void commit(std::vector<Job>& jobs);
  void decide(Job& job, Batch& batch) const;
  /// Throws Error{storage_full} when there is too little space.
  void check_room() const;
  void write(Batch& batch);
  /// Between writes, so that no write fails with a flush asked for but not begun: RocksDB 7.8 loses
  /// that flush, and Resume() then waits for it for ever.
  void flush_when_due();
  /// Throws the last failure again unless RocksDB can write now.
  void check_healthy();
  void recover();
  std::exception_ptr refusal(std::size_t ops, std::size_t bytes) const;

  rocksdb::DB& db_;
  const std::shared_ptr<RocksWatch> watch_;
  const RocksConfig config_;

  std::mutex mutex_;
  std::condition_variable wake_;
  // Guarded by mutex_:
  std::deque<Job> queue_;
  std::size_t queued_ops_ = 0;
  std::size_t queued_bytes_ = 0;
  bool stopping_ = false;

  // The writer thread's own:
  std::exception_ptr failure_;  // of the last write; null = healthy
  /// Whether a write has succeeded since RocksDB began its current log. If the first one fails,
  /// RocksDB 7.8 goes on with the broken log after Resume(), and aborts: then only a restart helps.
  bool log_works_;
  bool needs_restart_ = false;
  Context::SteadyClock::time_point resume_tried_;
  std::unique_ptr<Recovery> recovery_;  // under way
  Context::SteadyClock::time_point room_checked_;

  metrics::Gauge& queue_gauge_;
  metrics::Histogram& sync_seconds_;
  std::thread thread_;  // last: it uses everything above
};

}  // namespace tarn::kv
