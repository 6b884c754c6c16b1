// The embedded store for one machine, on RocksDB: the default. Reads are answered on the caller's
// loop when the block cache has them; every write goes through one group-commit thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/task.h"
#include "kv/store.h"

namespace rocksdb {
class Env;
}

namespace tarn::io {
class BlockingPool;
}

namespace tarn::kv {

struct RocksConfig {
  std::string directory;  // made if missing, parents too; one process at a time
  /// Wait for the disk before acknowledging a write. Off: a crash of the machine (not of the
  /// process) may lose the last acknowledged writes.
  bool sync = true;

  std::size_t block_cache_bytes = 64 * 1'024 * 1'024;  // a ceiling, filled as rows are read
  std::size_t memtable_bytes = 16 * 1'024 * 1'024;     // each; grows as rows are written
  int memtables_max = 3;
  int background_jobs = 2;  // flush and compaction threads

  /// Writes waiting for the group-commit thread; beyond either limit: Error{unavailable}. A run()
  /// larger than the limits is accepted when nothing else waits.
  std::size_t queue_ops_max = 32'768;
  std::size_t queue_bytes_max = 64 * 1'024 * 1'024;
  /// Most work put into one synced batch.
  std::size_t batch_ops_max = 4'096;
  std::size_t batch_bytes_max = 4 * 1'024 * 1'024;
  /// After a failed write, how often recovery is tried while writes keep coming.
  std::chrono::milliseconds resume_interval{1'000};
  /// An attempt that lasts longer has failed for good: writes need a restart.
  std::chrono::milliseconds resume_max{60'000};
  /// With less free space than this nothing is written: what RocksDB needs to flush and to recover
  /// must be there.
  std::uint64_t room_bytes_min = 32 * 1'024 * 1'024;

  /// Get_many and scan pages up to this many rows are tried on the caller's loop first.
  std::uint32_t inline_rows_max = 256;

  rocksdb::Env* env = nullptr;  // the file system; nullptr = the real one. For fault tests
};

/// As Store, and: get, get_many and small pages do not leave the calling thread when everything is
/// cached. A page is a snapshot, a scan of several pages is not. After a failed write the store
/// refuses further writes (reads go on) until RocksDB has recovered, which is tried with the writes
/// that follow: at once possible when a full disk has space again, never after the disk lost data
/// (then a restart replays the log). A run() without steps counts as a write: it throws where one
/// would, and tries to recover. A deadline ends the wait for the writer's queue, not that for
/// a disk already asked to sync.
class RocksStore final : public Store {
 public:
  /// Blocking: opens or creates the database and replays its log. `pool` takes the reads that need
  /// the disk, and must outlive the store. Throws Error{unavailable} when another process has the
  /// directory, Error{corrupt}, Error{storage_full}, Error{invalid_argument} for a foreign
  /// database.
  static std::unique_ptr<RocksStore> open(RocksConfig config, io::BlockingPool& pool);

  /// Closes, blocking, if close() has not been awaited.
  ~RocksStore() override;

  Task<std::optional<std::string>> get(Context& ctx, std::string_view partition,
                                       std::string_view key) override;
  Task<std::vector<std::optional<std::string>>> get_many(Context& ctx,
                                                         std::vector<Address> addresses) override;
  Task<std::vector<OpResult>> run(Context& ctx, std::vector<Op> ops) override;

  Guard guard() const override { return Guard::exact; }

  std::unique_ptr<Cursor> scan(std::string_view partition, ScanOptions options) override;
  Task<std::vector<Row>> read_rows(Context& ctx, std::optional<Address> after,
                                   std::uint32_t rows_max) override;
  Task<> checkpoint(Context& ctx, std::string directory) override;
  /// Commits what is queued, waits for reads, flushes. Then the directory is free.
  Task<> close() override;

 private:
  friend class RocksCursor;
  struct Impl;
  explicit RocksStore(std::unique_ptr<Impl> impl);
  Task<std::vector<OpResult>> read_only(Context& ctx, std::vector<Op> ops);

  std::unique_ptr<Impl> impl_;
};

}  // namespace tarn::kv
