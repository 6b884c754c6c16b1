#include "app/config_keys.h"

#include <algorithm>
#include <vector>

#include "app/config_values.h"
#include "base/format.h"

namespace tarn::app {

namespace {

// Setters: `place` says where in a Config the value lives.

template <class Place>
Setter text(Place place) {
  return [place](Config& config, std::string_view value) -> std::optional<std::string> {
    place(config) = std::string(value);
    return std::nullopt;
  };
}

template <class Parse, class Place>
Setter parsed(Parse parse, Place place) {
  return [parse, place](Config& config, std::string_view value) -> std::optional<std::string> {
    const auto result = parse(value);
    if (!result) return result.error().message;
    using Field = std::remove_reference_t<decltype(place(config))>;
    if constexpr (std::is_arithmetic_v<Field>) {
      if (static_cast<decltype(*result + 0)>(static_cast<Field>(*result)) != *result + 0) {
        return format("'{}' is out of range", value);
      }
      place(config) = static_cast<Field>(*result);
    } else {
      place(config) = std::chrono::duration_cast<Field>(*result);
    }
    return std::nullopt;
  };
}

template <class Place>
Setter flag(Place place) {
  return [place](Config& config, std::string_view value) -> std::optional<std::string> {
    const auto result = parse_bool(value);
    if (!result) return result.error().message;
    place(config) = *result;
    return std::nullopt;
  };
}

template <class Place>
Setter size(Place place) {
  return parsed(parse_size, place);
}

template <class Place>
Setter duration(Place place) {
  return parsed(parse_duration, place);
}

template <class Place>
Setter list(Place place) {
  return [place](Config& config, std::string_view value) -> std::optional<std::string> {
    place(config) = parse_list(value);
    return std::nullopt;
  };
}

std::optional<std::string> set_log_level(Config& config, std::string_view value) {
  using log::Level;

  struct Name {
    std::string_view name;
    Level level;
  };

  constexpr Name kNames[] = {
      {"TRACE", Level::debug}, {"DEBUG", Level::debug},  {"INFO", Level::info},
      {"WARN", Level::warn},   {"WARNING", Level::warn}, {"ERROR", Level::error},
      {"FATAL", Level::error}, {"PANIC", Level::error},  {"NONE", Level::off}};
  std::string upper(value);
  std::ranges::transform(upper, upper.begin(), [](unsigned char c) { return std::toupper(c); });
  for (const Name& known : kNames) {
    if (upper == known.name) {
      config.log.level = known.level;
      return std::nullopt;
    }
  }
  return format("'{}' is not a log level (TRACE, DEBUG, INFO, WARN, ERROR, NONE)", value);
}

std::optional<std::string> set_log_format(Config& config, std::string_view value) {
  if (value != "text" && value != "json") return format("'{}' is neither text nor json", value);
  config.log.format = value == "json" ? log::Config::Format::json : log::Config::Format::text;
  return std::nullopt;
}

std::optional<std::string> set_log_output(Config& config, std::string_view value) {
  // "-" is standard output to the reference and "=" standard error; a server's log goes to
  // standard error here either way, standard output is for what a command prints.
  config.log.output = value == "=" ? "-" : std::string(value);
  return std::nullopt;
}

std::optional<std::string> set_database_type(Config& config, std::string_view value) {
  if (value == "local" || value == "rocks") {
    config.database = DatabaseType::local;
  } else if (value == "mem") {
    config.database = DatabaseType::mem;
  } else if (value == "dynamodb") {
    config.database = DatabaseType::dynamodb;
  } else if (value == "postgres") {
    config.database = DatabaseType::postgres;
  } else {
    return format("'{}' is not served by this version (local, postgres, dynamodb, mem)", value);
  }
  return std::nullopt;
}

std::optional<std::string> set_blockstore_type(Config& config, std::string_view value) {
  if (value == "local") {
    config.blockstore = BlockstoreType::local;
  } else if (value == "mem") {
    config.blockstore = BlockstoreType::mem;
  } else if (value == "s3") {
    config.blockstore = BlockstoreType::s3;
  } else {
    return format("'{}' is not served by this version (local, s3, mem)", value);
  }
  return std::nullopt;
}

std::optional<std::string> set_s3_encryption(Config& config, std::string_view value) {
  if (!value.empty() && value != "AES256" && value != "aws:kms") {
    return format("'{}' is neither AES256 nor aws:kms", value);
  }
  config.s3.store.server_side_encryption = value;
  return std::nullopt;
}

/// Longer than a week is no signature of the service's.
std::optional<std::string> set_presign_expiry(Config& config, std::string_view value) {
  const auto parsed = parse_duration(value);
  if (!parsed) return parsed.error().message;
  const auto expiry = std::chrono::duration_cast<std::chrono::seconds>(*parsed);
  if (expiry < std::chrono::seconds(1) || expiry > std::chrono::hours(168)) {
    return format("'{}' is not between 1s and 168h", value);
  }
  config.s3.store.presign_expiry = expiry;
  return std::nullopt;
}

std::optional<std::string> set_rbac(Config&, std::string_view value) {
  if (value == "none") return std::nullopt;
  return format("'{}' is not served by this version (none)", value);
}

http::TlsConfig& tls(Config& config) {
  if (!config.server.tls) config.server.tls.emplace();
  return *config.server.tls;
}

std::optional<std::string> set_tls_enabled(Config& config, std::string_view value) {
  const auto enabled = parse_bool(value);
  if (!enabled) return enabled.error().message;
  config.tls_enabled = *enabled;
  return std::nullopt;
}

Key no_effect(std::string_view name) {
  return {.name = name};
}

// clang-format off
#define TARN_AT(field) [](Config& c) -> auto& { return c.field; }
// clang-format on

std::vector<Key> server_keys() {
  return {
      {"listen_address", "text", "0.0.0.0:8000", "Address and port of the one listener.",
       text(TARN_AT(server.listen_address))},
      {"tls.enabled", "boolean", "false", "Serve TLS instead of plain HTTP.", set_tls_enabled},
      {"tls.cert_file", "path", "", "Certificate chain, PEM. Read again on SIGHUP.",
       [](Config& c, std::string_view v) -> std::optional<std::string> {
         tls(c).certificate_file = v;
         return std::nullopt;
       }},
      {"tls.key_file", "path", "", "Private key, PEM.",
       [](Config& c, std::string_view v) -> std::optional<std::string> {
         tls(c).key_file = v;
         return std::nullopt;
       }},
      {"server.threads", "number", "one per core", "Event loops.", size(TARN_AT(io_threads))},
      {"server.file_threads", "number", "8", "Threads for object files and range files.",
       size(TARN_AT(file_threads))},
      {"server.metadata_threads", "number", "2", "Threads for metadata reads that miss the cache.",
       size(TARN_AT(metadata_threads))},
      {"server.connections_max", "number", "4096",
       "Open connections; further ones wait in the listen queue.",
       size(TARN_AT(server.connections_max))},
      {"server.header_bytes_max", "size", "32KiB", "Request line and headers.",
       size(TARN_AT(server.header_bytes_max))},
      {"server.header_timeout", "duration", "60s",
       "From a request's first byte to the end of its head.",
       duration(TARN_AT(server.header_timeout))},
      {"server.idle_timeout", "duration", "120s", "Between requests of a connection.",
       duration(TARN_AT(server.idle_timeout))},
      {"server.stall_timeout", "duration", "60s", "Without progress in a body, either way.",
       duration(TARN_AT(server.stall_timeout))},
      {"server.shutdown_delay", "duration", "0s",
       "On SIGTERM, /_ready says no for this long before the listener closes.",
       duration(TARN_AT(shutdown_delay))},
      {"server.shutdown_grace", "duration", "30s", "Requests in flight may finish on SIGTERM.",
       duration(TARN_AT(server.shutdown_grace))},
      {"server.json_body_bytes_max", "size", "16MiB", "Body of an API request that is read whole.",
       size(TARN_AT(json_body_bytes_max))},
      {"server.upload_bytes_max", "size", "no limit",
       "One object or one part of a multipart upload.", size(TARN_AT(catalog.upload_bytes_max))},
      {"logging.format", "text or json", "text", "Form of a log line.", set_log_format},
      {"logging.level", "level", "INFO", "TRACE, DEBUG, INFO, WARN, ERROR or NONE.", set_log_level},
      {"logging.output", "path", "-", "A file, or '-' for standard error.", set_log_output},
  };
}

std::vector<Key> storage_keys() {
  return {
      {"database.type", "local, postgres, dynamodb or mem", "local",
       "Where metadata lives: embedded RocksDB, PostgreSQL, a table on AWS, or memory for trials.",
       set_database_type},
      {"database.local.path", "path", "~/tarn/metadata", "Directory of the embedded store.",
       text(TARN_AT(database_path))},
      {"database.local.sync_writes", "boolean", "true",
       "Sync to the disk before acknowledging a write.", flag(TARN_AT(database_sync))},
      {"database.local.cache_size_bytes", "size", "64MiB",
       "Most memory for cached metadata blocks.", size(TARN_AT(database_cache_bytes))},
      {"database.dynamodb.table_name", "text", "kvstore", "The table; made if there is none.",
       text(TARN_AT(dynamodb.store.table))},
      {"database.dynamodb.aws_region", "text", "from the environment or profile, else us-east-1",
       "Region of the table.", text(TARN_AT(dynamodb.store.region))},
      {"database.dynamodb.endpoint", "URL", "AWS in the region",
       "Another DynamoDB, such as an emulator.", text(TARN_AT(dynamodb.store.endpoint))},
      {"database.dynamodb.aws_profile", "text", "", "Profile of the credentials file.",
       text(TARN_AT(dynamodb.credentials.profile))},
      {"database.dynamodb.aws_access_key_id", "text", "",
       "Key, instead of what the environment, profile or machine offers.",
       text(TARN_AT(dynamodb.credentials.access_key_id))},
      {"database.dynamodb.aws_secret_access_key", "secret", "", "Secret of that key.",
       text(TARN_AT(dynamodb.credentials.secret_access_key)), true},
      {"database.dynamodb.scan_limit", "number", "1024", "Most records of one page.",
       size(TARN_AT(dynamodb.store.scan_limit))},
      {"database.dynamodb.max_attempts", "number", "10",
       "Tries of one call before it fails; pauses between them grow.",
       size(TARN_AT(dynamodb.store.max_attempts))},
      {"database.dynamodb.max_connections", "number", "0 = 64", "Connections per processor core.",
       size(TARN_AT(dynamodb.connections_max))},
      {"database.postgres.connection_string", "secret", "",
       "URI or key=value pairs, as libpq takes them; sslmode decides about TLS.",
       text(TARN_AT(postgres.connection_string)), true},
      {"database.postgres.max_open_connections", "number", "25", "Connections of this server.",
       size(TARN_AT(postgres.connections_max))},
      {"database.postgres.max_idle_connections", "number", "25",
       "Further ones are closed when they fall idle.", size(TARN_AT(postgres.idle_max))},
      {"database.postgres.connection_max_lifetime", "duration", "5m",
       "A connection is replaced at about this age.", duration(TARN_AT(postgres.lifetime))},
      {"database.postgres.statement_timeout", "duration", "60s",
       "Longest a statement may take; a caller's own deadline may be sooner.",
       duration(TARN_AT(postgres.statement_timeout))},
      {"blockstore.type", "local, s3 or mem", "local",
       "Where objects live: a directory, an S3 service, or memory for trials.",
       set_blockstore_type},
      {"blockstore.local.path", "path", "~/tarn/objects", "Root directory of the objects.",
       text(TARN_AT(blockstore_path))},
      {"blockstore.local.allowed_external_prefixes", "list of paths", "",
       "Directories outside the root whose files may be linked. Read only.",
       list(TARN_AT(allowed_external_prefixes))},
      {"blockstore.local.import_enabled", "boolean", "false",
       "Announce import from local directories.", flag(TARN_AT(import_enabled))},
      {"blockstore.local.temp_bytes_max", "size", "64GiB",
       "Bytes that uploads in progress may hold.", size(TARN_AT(temp_bytes_max))},
      {"blockstore.default_namespace_prefix", "text", "local:// for a local store",
       "Shown to clients as a suggestion.", text(TARN_AT(default_namespace_prefix))},
      {"blockstore.signing.secret_key", "secret", "OVERRIDE_THIS_SIGNING_SECRET_DEFAULT",
       "Signs the physical addresses handed to clients.", text(TARN_AT(catalog.signing_secret)),
       true},
      {"committed.local_cache.dir", "path", "~/tarn/cache", "Range files kept on local disk.",
       text(TARN_AT(committed.disk_cache_dir))},
      {"committed.local_cache.size_bytes", "size", "1GiB", "Most disk for them.",
       size(TARN_AT(committed.disk_cache_bytes))},
      {"committed.local_cache.max_uploaders_per_writer", "number", "10",
       "Range files of one commit that upload at once.",
       size(TARN_AT(committed.uploads_per_writer))},
      {"committed.sstable.memory.cache_size_bytes", "size", "64MiB",
       "Most memory for parsed indexes and decoded blocks.",
       size(TARN_AT(committed.memory_cache_bytes))},
      {"committed.block_storage_prefix", "text", "_lakefs", "Folder of range files in a namespace.",
       [](Config& c, std::string_view v) -> std::optional<std::string> {
         if (v.empty() || v.find("..") != std::string_view::npos) return "not a folder name";
         c.committed.block_storage_prefix = v;
         c.catalog.block_storage_prefix = v;
         return std::nullopt;
       }},
      {"committed.permanent.min_range_size_bytes", "size", "0",
       "A range is not cut before this size.", size(TARN_AT(committed.range_bytes_min))},
      {"committed.permanent.max_range_size_bytes", "size", "20MiB", "A range is cut at this size.",
       size(TARN_AT(committed.range_bytes_max))},
      {"committed.permanent.range_raggedness_entries", "number", "50000",
       "A range is cut at one key in so many.", size(TARN_AT(committed.range_raggedness_entries))},
      {"graveler.ensure_readable_root_namespace", "boolean", "true",
       "Creating a repository checks that nobody uses its namespace.",
       flag(TARN_AT(catalog.ensure_readable_root_namespace))},
      {"graveler.repository_cache.expiry", "duration", "5s",
       "Another server's change to a repository is seen after at most this.",
       duration(TARN_AT(engine.repository_cache_age))},
      {"graveler.commit_cache.size", "number", "50000", "Commits kept in memory.",
       size(TARN_AT(engine.commit_cache_entries))},
  };
}

template <class Place>
Setter unless(Place place) {
  return [place](Config& config, std::string_view value) -> std::optional<std::string> {
    const auto result = parse_bool(value);
    if (!result) return result.error().message;
    place(config) = !*result;
    return std::nullopt;
  };
}

std::vector<Key> s3_keys() {
  return {
      {"blockstore.s3.endpoint", "URL", "AWS in the region", "Another S3 service.",
       text(TARN_AT(s3.store.endpoint))},
      {"blockstore.s3.region", "text", "from the environment or profile, else us-east-1",
       "Region of buckets that do not tell theirs.", text(TARN_AT(s3.store.region))},
      {"blockstore.s3.response_timeout", "duration", "30s",
       "Longest the service may be silent in a request; one is given up within twice that.",
       duration(TARN_AT(s3.store.response_timeout))},
      {"blockstore.s3.discover_bucket_region", "boolean", "true",
       "Ask the service where a bucket is.", flag(TARN_AT(s3.store.discover_bucket_region))},
      {"blockstore.s3.force_path_style", "boolean", "false",
       "Buckets in the path, not in the host name.", flag(TARN_AT(s3.store.force_path_style))},
      {"blockstore.s3.profile", "text", "", "Profile of the credentials file.",
       text(TARN_AT(s3.credentials.profile))},
      {"blockstore.s3.credentials_file", "path", "~/.aws/credentials", "Where profiles are.",
       text(TARN_AT(s3.credentials.credentials_file))},
      {"blockstore.s3.credentials.access_key_id", "text", "",
       "Key, instead of what the environment, profile or machine offers.",
       text(TARN_AT(s3.credentials.access_key_id))},
      {"blockstore.s3.credentials.secret_access_key", "secret", "", "Secret of that key.",
       text(TARN_AT(s3.credentials.secret_access_key)), true},
      {"blockstore.s3.credentials.session_token", "secret", "", "Token of a temporary key.",
       text(TARN_AT(s3.credentials.session_token)), true},
      {"blockstore.s3.web_identity.session_duration", "duration", "the role's own",
       "Life of credentials got by web identity.",
       duration(TARN_AT(s3.credentials.web_identity_duration))},
      {"blockstore.s3.web_identity.session_expiry_window", "duration", "5m",
       "Temporary credentials are refreshed so long before they end.",
       duration(TARN_AT(s3.credentials.expiry_window))},
      {"blockstore.s3.max_retries", "number", "5",
       "Times a request is repeated while the service is in trouble.",
       size(TARN_AT(s3.store.max_retries))},
      {"blockstore.s3.server_side_encryption", "AES256 or aws:kms", "",
       "Encryption asked for with every write.", set_s3_encryption},
      {"blockstore.s3.server_side_encryption_kms_key_id", "text", "the bucket's", "Key of aws:kms.",
       text(TARN_AT(s3.store.server_side_encryption_kms_key_id))},
      {"blockstore.s3.disable_pre_signed", "boolean", "false",
       "Hand out no URLs with which clients read and write objects at the service.",
       unless(TARN_AT(s3.store.presign))},
      {"blockstore.s3.disable_pre_signed_multipart", "boolean", "false",
       "Hand out none for the parts of multipart uploads.",
       unless(TARN_AT(s3.store.presign_multipart))},
      {"blockstore.s3.disable_pre_signed_ui", "boolean", "true",
       "Tell browsers to do without them.", unless(TARN_AT(s3.store.presign_ui))},
      {"blockstore.s3.pre_signed_expiry", "duration", "15m", "Life of such a URL, 1s to 168h.",
       set_presign_expiry},
      {"blockstore.s3.pre_signed_endpoint", "URL", "the service's own",
       "Where clients reach the service, if not where this server does.",
       text(TARN_AT(s3.store.presign_endpoint))},
      {"blockstore.s3.skip_verify_certificate_test_only", "boolean", "false",
       "Take any TLS certificate.", unless(TARN_AT(s3.verify_certificate))},
      {"blockstore.s3.client_log_retries", "boolean", "false", "A log line for every repetition.",
       flag(TARN_AT(s3.store.log_retries))},
  };
}

std::vector<Key> access_keys() {
  return {
      {"auth.encrypt.secret_key", "secret", "none: required",
       "Encrypts stored keys and signs logins. Keep it.", text(TARN_AT(auth.secret_key)), true},
      {"auth.login_duration", "duration", "168h", "Life of a login.",
       duration(TARN_AT(auth.login_duration))},
      {"auth.cache.ttl", "duration", "20s",
       "Another server's change to a key is seen after at most this.",
       duration(TARN_AT(auth.cache_age))},
      {"auth.cache.size", "number", "1024", "Keys kept in memory.",
       size(TARN_AT(auth.cache_entries))},
      {"auth.ui_config.rbac", "none", "none", "Permission model.", set_rbac},
      {"gateways.s3.domain_name", "list", "s3.local.lakefs.io",
       "Host names of the S3 gateway; a label before one names the repository.",
       list(TARN_AT(s3_domains))},
      {"gateways.s3.region", "text", "us-east-1", "Region the gateway reports.",
       text(TARN_AT(s3_region))},
      {"installation.user_name", "text", "", "Administrator created at first start.",
       text(TARN_AT(installation_user))},
      {"installation.access_key_id", "text", "", "Key of that administrator; generated if absent.",
       text(TARN_AT(installation_access_key_id))},
      {"installation.secret_access_key", "secret", "", "Secret of that key.",
       text(TARN_AT(installation_secret_access_key.text)), true},
  };
}

#undef TARN_AT

/// Keys of the reference that mean nothing here, or not yet: accepted, with a warning.
std::vector<Key> keys_without_effect() {
  std::vector<Key> keys;
  for (const std::string_view name : {"logging.file_max_size_mb",
                                      "logging.files_keep",
                                      "logging.audit_log_level",
                                      "logging.trace_request_headers",
                                      "actions.enabled",
                                      "actions.lua.net_http_enabled",
                                      "actions.env.enabled",
                                      "actions.env.prefix",
                                      "database.drop_tables",
                                      "database.postgres.metrics",
                                      "database.postgres.scan_page_size",
                                      "database.dynamodb.health_check_interval",
                                      "database.local.prefetch_size",
                                      "database.local.enable_logging",
                                      "blockstore.local.import_hidden",
                                      "blockstore.s3.client_log_request",
                                      "committed.local_cache.range_proportion",
                                      "committed.local_cache.metarange_proportion",
                                      "ugc.prepare_max_file_size",
                                      "ugc.prepare_interval",
                                      "graveler.batch_dbio_transaction_markers",
                                      "graveler.compaction_sensor_threshold",
                                      "graveler.background.rate_limit",
                                      "graveler.repository_cache.size",
                                      "graveler.repository_cache.jitter",
                                      "graveler.commit_cache.expiry",
                                      "graveler.commit_cache.jitter",
                                      "graveler.max_batch_delay",
                                      "graveler.branch_ownership.enabled",
                                      "graveler.branch_ownership.refresh",
                                      "graveler.branch_ownership.acquire",
                                      "gateways.s3.fallback_url",
                                      "gateways.s3.verify_unsupported",
                                      "stats.enabled",
                                      "stats.address",
                                      "stats.flush_interval",
                                      "stats.flush_size",
                                      "stats.extended",
                                      "email_subscription.enabled",
                                      "installation.fixed_id",
                                      "installation.allow_inter_region_storage",
                                      "security.check_latest_version",
                                      "security.check_latest_version_cache",
                                      "security.audit_check_interval",
                                      "security.audit_check_url",
                                      "usage_report.enabled",
                                      "usage_report.flush_interval",
                                      "auth.cache.enabled",
                                      "auth.cache.jitter",
                                      "auth.logout_redirect_url",
                                      "auth.login_max_duration",
                                      "auth.ui_config.login_url",
                                      "auth.ui_config.fallback_login_url",
                                      "auth.ui_config.fallback_login_label",
                                      "auth.ui_config.logout_url",
                                      "auth.ui_config.login_failed_message",
                                      "auth.ui_config.login_cookie_names",
                                      "auth.ui_config.use_login_placeholders",
                                      "ui.enabled",
                                      "ui.snippets"}) {
    keys.push_back(no_effect(name));
  }
  return keys;
}

std::vector<Key> make_keys() {
  std::vector<Key> keys;
  for (auto part :
       {server_keys(), storage_keys(), s3_keys(), access_keys(), keys_without_effect()}) {
    keys.insert(keys.end(), part.begin(), part.end());
  }
  std::ranges::sort(keys, {}, &Key::name);
  return keys;
}

}  // namespace

std::span<const Key> config_keys() {
  static const std::vector<Key> keys = make_keys();
  return keys;
}

const Key* find_config_key(std::string_view name) {
  const auto keys = config_keys();
  const auto found = std::ranges::lower_bound(keys, name, {}, &Key::name);
  return found != keys.end() && found->name == name ? &*found : nullptr;
}

}  // namespace tarn::app
