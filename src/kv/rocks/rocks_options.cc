#include "kv/rocks/rocks_options.h"

#include <memory>
#include <utility>

#include <rocksdb/cache.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/table_properties_collectors.h>

namespace tarn::kv {
namespace {

rocksdb::BlockBasedTableOptions table_options(const RocksConfig& config) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(config.block_cache_bytes, /*num_shard_bits=*/4);
  // Index and filter blocks count against the cache, so memory stays bounded as the store grows;
  // those of the newest level, asked by every get, stay.
  table.cache_index_and_filter_blocks = true;
  table.cache_index_and_filter_blocks_with_high_priority = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  // set_if(absent) and reads of unstaged paths miss all day: 10 bits spare 99 in 100 of them.
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.data_block_index_type = rocksdb::BlockBasedTableOptions::kDataBlockBinaryAndHash;
  table.format_version = 5;
  return table;
}

/// After a failed write of the log the group writer resumes by itself, with the next write that
/// comes; RocksDB's own poller would make it wait for up to five seconds. Flushes and compactions
/// that ran out of space stay with the poller.
class LeaveLogErrorsToTheWriter final : public rocksdb::EventListener {
 public:
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason reason, rocksdb::Status,
                            bool* auto_recovery) override {
    if (reason == rocksdb::BackgroundErrorReason::kWriteCallback) *auto_recovery = false;
  }
};

void set_logging(rocksdb::Options& options) {
  options.info_log_level = rocksdb::WARN_LEVEL;
  options.max_log_file_size = 4 * 1'024 * 1'024;
  options.keep_log_file_num = 3;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
}

}  // namespace

rocksdb::Options rocks_options(const RocksConfig& config,
                               std::shared_ptr<rocksdb::EventListener> watch) {
  rocksdb::Options options;
  if (config.env) options.env = config.env;
  options.create_if_missing = true;
  options.max_background_jobs = config.background_jobs;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table_options(config)));
  options.compression = rocksdb::kLZ4Compression;
  options.level_compaction_dynamic_level_bytes = true;

  // The group writer flushes at half of this (see there), so that RocksDB hardly ever does.
  options.write_buffer_size = 2 * config.memtable_bytes;
  options.max_write_buffer_number = config.memtables_max;
  options.memtable_whole_key_filtering = true;
  options.memtable_prefix_bloom_size_ratio = 0.01;
  // With one column family it only bounds what is allocated for a log in advance.
  options.max_total_wal_size = config.memtable_bytes + config.memtable_bytes / 8;

  // One writer thread: no write group to join, no memtable to share.
  options.allow_concurrent_memtable_write = false;
  options.enable_write_thread_adaptive_yield = false;

  // All files stay open, so a get served from the cache never opens one.
  options.max_open_files = -1;
  options.max_file_opening_threads = 2;
  options.skip_stats_update_on_db_open = true;
  options.avoid_unnecessary_blocking_io = true;  // deletes files in the background, not in a read

  // A dropped staging area is erased key by key. Files in which half of a window of rows are
  // tombstones get compacted, so that scans do not wade through them.
  options.table_properties_collector_factories.push_back(
      rocksdb::NewCompactOnDeletionCollectorFactory(/*sliding_window_size=*/4'096,
                                                    /*deletion_trigger=*/2'048,
                                                    /*deletion_ratio=*/0.5));
  options.listeners.push_back(std::make_shared<LeaveLogErrorsToTheWriter>());
  options.listeners.push_back(std::move(watch));
  set_logging(options);
  return options;
}

}  // namespace tarn::kv
