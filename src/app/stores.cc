#include "app/stores.h"

#include <utility>

#include "base/error.h"
#include "base/format.h"
#include "block/fs/fs_object_store.h"
#include "block/mem/mem_object_store.h"
#include "block/metered_store.h"
#include "kv/mem/mem_store.h"
#include "kv/metered_store.h"
#include "kv/postgres/postgres_store.h"
#include "kv/rocks/rocks_store.h"

namespace tarn::app {

namespace {

/// The store's messages name no path; an operator needs it.
std::unique_ptr<kv::Store> open_rocks(kv::RocksConfig config, io::BlockingPool& pool) {
  const std::string directory = config.directory;
  try {
    return kv::RocksStore::open(std::move(config), pool);
  } catch (const Error& error) {
    throw Error(error.code(), format("metadata in {}: {}", directory, error.message()));
  }
}

}  // namespace

std::unique_ptr<kv::Store> open_kv(const Config& config, const StoreTools& tools) {
  switch (config.database) {
    case DatabaseType::mem:
      return std::make_unique<kv::MeteredStore>(std::make_unique<kv::MemStore>(), "mem");
    case DatabaseType::local: {
      kv::RocksConfig rocks{.directory = config.database_path.string(),
                            .sync = config.database_sync,
                            .block_cache_bytes = config.database_cache_bytes};
      return std::make_unique<kv::MeteredStore>(open_rocks(std::move(rocks), tools.pool), "rocks");
    }
    case DatabaseType::postgres:
      return std::make_unique<kv::MeteredStore>(
          kv::PostgresStore::open(config.postgres, tools.loops, tools.pool), "postgres");
  }
  std::unreachable();
}

Task<std::unique_ptr<block::ObjectStore>> open_object_store(Context& ctx, const Config& config,
                                                            io::BlockingPool& pool) {
  switch (config.blockstore) {
    case BlockstoreType::mem:
      co_return std::make_unique<block::MeteredStore>(std::make_unique<block::MemObjectStore>());
    case BlockstoreType::local: {
      block::FsConfig fs{.root = config.blockstore_path.string(),
                         .allowed_external_prefixes = config.allowed_external_prefixes,
                         .temp_bytes_max = config.temp_bytes_max,
                         .import_enabled = config.import_enabled,
                         .default_namespace_prefix = config.default_namespace_prefix};
      co_return std::make_unique<block::MeteredStore>(
          co_await block::FsObjectStore::open(ctx, std::move(fs), pool));
    }
  }
  std::unreachable();
}

}  // namespace tarn::app
