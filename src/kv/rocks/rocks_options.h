// RocksDB's knobs, set once for metadata: small rows, point reads, many short-lived partitions.
#pragma once

#include <rocksdb/options.h>

#include "kv/rocks/rocks_store.h"

namespace tarn::kv {

rocksdb::Options rocks_options(const RocksConfig& config,
                               std::shared_ptr<rocksdb::EventListener> watch);

}  // namespace tarn::kv
