// The server's configuration, typed. Read from a YAML file, then the environment (LAKEFS_…, then
// TARN_…), checked whole: every problem is reported at once. Only app/ knows where values come
// from.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "auth/authority.h"
#include "aws/credentials/credentials.h"
#include "base/log.h"
#include "block/fs/fs_object_store.h"
#include "block/s3/s3_config.h"
#include "catalog/catalog.h"
#include "http/server.h"
#include "kv/dynamo/dynamo_store.h"
#include "kv/postgres/postgres_config.h"
#include "kv/rocks/rocks_store.h"
#include "versioning/committed/committed.h"
#include "versioning/engine.h"

namespace tarn::app {

enum class DatabaseType : std::uint8_t { local, mem, dynamodb, postgres };
enum class BlockstoreType : std::uint8_t { local, mem, s3 };

/// A service on the network: other servers may use it too, and it may be out of reach for a while.
/// The others are this process's own.
bool is_service(DatabaseType type);
bool is_service(BlockstoreType type);

/// A text that must not be shown.
struct Secret {
  std::string text;
};

/// database.dynamodb.*
struct DynamoDatabase {
  kv::DynamoConfig store{.region = ""};  // empty: from the environment or the profile
  aws::CredentialsConfig credentials;
  std::size_t connections_max = 0;  // per loop; 0 = the client's own
};

/// blockstore.s3.*
struct S3Blockstore {
  block::S3Config store{.region = ""};  // empty: from the environment or the profile
  aws::CredentialsConfig credentials;
  bool verify_certificate = true;
};

struct Config {
  log::Config log;
  http::ServerConfig server;
  bool tls_enabled = false;
  std::size_t io_threads = 0;    // 0 = one per core
  std::size_t file_threads = 8;  // blocking file work: mostly waiting, so more than cores
  std::size_t metadata_threads = 2;
  std::uint64_t json_body_bytes_max = 16 * 1024 * 1024;
  std::chrono::milliseconds shutdown_delay{0};  // not ready, but serving, before it drains

  DatabaseType database = DatabaseType::local;
  std::filesystem::path database_path;
  bool database_sync = true;
  std::uint64_t database_cache_bytes = 64 * 1024 * 1024;
  kv::PostgresConfig postgres;
  DynamoDatabase dynamodb;

  BlockstoreType blockstore = BlockstoreType::local;
  std::filesystem::path blockstore_path;
  std::vector<std::string> allowed_external_prefixes;
  bool import_enabled = false;
  std::uint64_t temp_bytes_max = 64ULL << 30;
  S3Blockstore s3;
  std::string default_namespace_prefix = "local://";

  versioning::CommittedConfig committed;
  versioning::EngineConfig engine;
  catalog::CatalogConfig catalog;
  auth::AuthConfig auth;

  std::vector<std::string> s3_domains = {"s3.local.lakefs.io"};
  std::string s3_region = "us-east-1";

  // Set-up at first start, when all three are given (6.4), or when only a name is.
  std::string installation_user;
  std::string installation_access_key_id;
  Secret installation_secret_access_key;
};

struct LoadedConfig {
  Config config;
  std::vector<std::string> problems;  // fatal, all of them
  std::vector<std::string> warnings;  // e.g. a key this version does not act on
  std::vector<std::string> sources;   // files read, for the log
};

struct ConfigSources {
  std::optional<std::string> file;                 // --config; else the usual places are tried
  bool usual_files = true;                         // unless this says no
  std::map<std::string, std::string> environment;  // the process's
  std::filesystem::path home;                      // for "~" and the defaults below it
  std::optional<std::filesystem::path> data_dir;   // --data-dir: defaults for everything under it
  std::map<std::string, std::string> overrides;    // command line, by key; win over all
};

/// Never throws for bad configuration: see `problems`.
LoadedConfig load_config(const ConfigSources& sources);

/// Every known key with its type, default and meaning, as Markdown: docs/configuration.md.
std::string describe_config_keys();

/// The process's environment as a map.
std::map<std::string, std::string> process_environment();

}  // namespace tarn::app
