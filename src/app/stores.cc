#include "app/stores.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "app/blocking_wait.h"
#include "aws/credentials/credentials.h"
#include "base/error.h"
#include "base/format.h"
#include "block/fs/fs_object_store.h"
#include "block/mem/mem_object_store.h"
#include "block/metered_store.h"
#include "block/s3/s3_object_store.h"
#include "http/client.h"
#include "kv/dynamo/dynamo_store.h"
#include "kv/mem/mem_store.h"
#include "kv/metered_store.h"
#include "kv/postgres/postgres_store.h"
#include "kv/rocks/rocks_store.h"

namespace tarn::app {

namespace {

/// The store's messages name no path; an operator needs it.
std::unique_ptr<kv::Store> open_rocks(kv::RocksConfig config, io::BlockingPool& pool) {
  const std::string directory = config.directory;
  if (holds_reference_database(directory)) {
    throw Error(ErrorCode::invalid_argument, embedded_reference_refusal(directory));
  }
  try {
    return kv::RocksStore::open(std::move(config), pool);
  } catch (const Error& error) {
    throw Error(error.code(), format("metadata in {}: {}", directory, error.message()));
  }
}

std::unique_ptr<kv::Store> open_dynamo(const Config& config, const StoreTools& tools) {
  kv::DynamoConfig dynamo = config.dynamodb.store;
  aws::CredentialsConfig login = config.dynamodb.credentials;
  if (dynamo.region.empty()) {
    dynamo.region = aws::find_region_blocking(login).value_or("us-east-1");
  }
  login.region = dynamo.region;
  http::ClientConfig connections;
  if (config.dynamodb.connections_max > 0) {
    connections.connections_per_host = config.dynamodb.connections_max;
  }
  kv::DynamoParts parts{.client = std::make_unique<http::Client>(connections)};
  parts.credentials =
      aws::make_credentials(std::move(login), *parts.client, tools.pool, tools.clock);
  Context ctx;
  return wait_for(tools.loops.any(),
                  kv::DynamoStore::open(ctx, std::move(dynamo), std::move(parts), tools.clock));
}

Task<std::unique_ptr<block::ObjectStore>> open_s3(Context& ctx, const Config& config,
                                                  const StoreTools& tools) {
  block::S3Config s3 = config.s3.store;
  aws::CredentialsConfig login = config.s3.credentials;
  if (s3.region.empty()) {
    const auto region =
        co_await tools.pool.run(ctx, [login] { return aws::find_region_blocking(login); });
    s3.region = region.value_or("us-east-1");
  }
  login.region = s3.region;
  s3.default_namespace_prefix = config.default_namespace_prefix;
  s3.work_timeout = std::max(s3.work_timeout, s3.response_timeout);
  auto client = std::make_unique<http::Client>(
      http::ClientConfig{.idle_timeout = s3.work_timeout,
                         .connections_per_host = 256,  // readers who are slow keep theirs
                         .tls = {.verify = config.s3.verify_certificate}});
  auto credentials = aws::make_credentials(std::move(login), *client, tools.pool, tools.clock);
  co_return std::make_unique<block::S3ObjectStore>(std::move(s3), std::move(client),
                                                   std::move(credentials), tools.pool, tools.clock);
}

}  // namespace

bool holds_reference_database(const std::filesystem::path& directory) {
  std::error_code ignored;  // what cannot be looked at is found out when it is opened
  return std::filesystem::exists(directory / "KEYREGISTRY", ignored) &&
         std::filesystem::exists(directory / "MANIFEST", ignored);
}

std::string embedded_reference_refusal(const std::filesystem::path& directory) {
  return format(
      "metadata in {}: the reference's embedded database (database.type: local) cannot be read; "
      "move the installation to PostgreSQL first, see docs/operating/from-lakefs.md",
      directory.string());
}

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
    case DatabaseType::postgres: {
      kv::PostgresConfig postgres = config.postgres;
      postgres.unreachable_after = std::min(postgres.unreachable_after, postgres.statement_timeout);
      return std::make_unique<kv::MeteredStore>(
          kv::PostgresStore::open(std::move(postgres), tools.loops, tools.pool), "postgres");
    }
    case DatabaseType::dynamodb:
      return std::make_unique<kv::MeteredStore>(open_dynamo(config, tools), "dynamo");
  }
  std::unreachable();
}

Task<std::unique_ptr<block::ObjectStore>> open_object_store(Context& ctx, const Config& config,
                                                            const StoreTools& tools) {
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
          co_await block::FsObjectStore::open(ctx, std::move(fs), tools.pool));
    }
    case BlockstoreType::s3:
      co_return std::make_unique<block::MeteredStore>(co_await open_s3(ctx, config, tools));
  }
  std::unreachable();
}

}  // namespace tarn::app
