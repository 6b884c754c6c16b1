#include "app/config.h"

#include <algorithm>
#include <fstream>

#include <gtest/gtest.h>

#include "app/config_keys.h"
#include "testing/temp_dir.h"

namespace tarn::app {
namespace {

struct Case {
  testing::TempDir dir;
  ConfigSources sources;

  Case() {
    sources.home = dir.path();
    sources.environment["TARN_AUTH_ENCRYPT_SECRET_KEY"] = "secret";
    file("");
  }

  void file(const std::string& yaml) {
    const std::string path = (std::filesystem::path(dir.path()) / "c.yaml").string();
    std::ofstream(path) << yaml;
    sources.file = path;
  }
};

bool mentions(const std::vector<std::string>& texts, std::string_view part) {
  return std::ranges::any_of(
      texts, [&](const std::string& text) { return text.find(part) != std::string::npos; });
}

TEST(Config, WorksWithNothingButTheSecret) {
  Case c;
  const LoadedConfig loaded = load_config(c.sources);
  EXPECT_TRUE(loaded.problems.empty());
  EXPECT_TRUE(loaded.warnings.empty());
  EXPECT_EQ(loaded.config.server.listen_address, "0.0.0.0:8000");
  EXPECT_EQ(loaded.config.database_path, std::filesystem::path(c.dir.path()) / "tarn/metadata");
}

TEST(Config, ReadsNestedAndDottedKeys) {
  Case c;
  c.file(
      "listen_address: 127.0.0.1:9\n"
      "blockstore:\n  type: local\n  local:\n    path: ~/blocks\n"
      "gateways.s3.domain_name: [a.example, b.example]\n"
      "committed:\n  permanent:\n    max_range_size_bytes: 1000\n");
  const LoadedConfig loaded = load_config(c.sources);
  EXPECT_TRUE(loaded.problems.empty());
  EXPECT_EQ(loaded.config.server.listen_address, "127.0.0.1:9");
  EXPECT_EQ(loaded.config.blockstore_path, std::filesystem::path(c.dir.path()) / "blocks");
  EXPECT_EQ(loaded.config.s3_domains, (std::vector<std::string>{"a.example", "b.example"}));
  EXPECT_EQ(loaded.config.committed.range_bytes_max, 1'000U);
}

TEST(Config, ReadsTheReferencesPresignKeys) {
  Case c;
  c.file(
      "blockstore:\n  type: s3\n  s3:\n"
      "    disable_pre_signed: false\n    disable_pre_signed_ui: false\n"
      "    disable_pre_signed_multipart: true\n"
      "    pre_signed_expiry: 2h\n    pre_signed_endpoint: https://outside.example\n");
  const LoadedConfig loaded = load_config(c.sources);
  EXPECT_TRUE(loaded.problems.empty());
  EXPECT_TRUE(loaded.warnings.empty());
  const block::S3Config& s3 = loaded.config.s3.store;
  EXPECT_TRUE(s3.presign);
  EXPECT_TRUE(s3.presign_ui);
  EXPECT_FALSE(s3.presign_multipart);
  EXPECT_EQ(s3.presign_expiry, std::chrono::hours(2));
  EXPECT_EQ(s3.presign_endpoint, "https://outside.example");
}

TEST(Config, RefusesAnExpiryThatNoServiceTakes) {
  for (const char* expiry : {"0s", "500ms", "-1s", "169h", "soon"}) {
    Case c;
    c.file(std::string("blockstore.s3.pre_signed_expiry: ") + expiry + "\n");
    EXPECT_TRUE(mentions(load_config(c.sources).problems, "blockstore.s3.pre_signed_expiry"))
        << expiry;
  }
  Case c;
  c.file("blockstore.s3.pre_signed_expiry: 168h\n");
  EXPECT_TRUE(load_config(c.sources).problems.empty());
}

TEST(Config, ReportsEveryProblemAtOnce) {
  Case c;
  c.sources.environment.clear();
  c.file(
      "listen_adress: x\n"
      "database:\n  type: cosmosdb\n"
      "server:\n  idle_timeout: soon\n  connections_max: 99999999999\n"
      "tls:\n  enabled: true\n");
  const LoadedConfig loaded = load_config(c.sources);
  EXPECT_TRUE(mentions(loaded.problems, "line 1: unknown key listen_adress"));
  EXPECT_TRUE(mentions(loaded.problems, "database.type"));
  EXPECT_TRUE(mentions(loaded.problems, "server.idle_timeout"));
  EXPECT_TRUE(mentions(loaded.problems, "server.connections_max"));
  EXPECT_TRUE(mentions(loaded.problems, "tls.cert_file"));
  EXPECT_TRUE(mentions(loaded.problems, "auth.encrypt.secret_key: required"));
  EXPECT_EQ(loaded.problems.size(), 6U);
}

TEST(Config, ReadsTheReferencesPostgresKeys) {
  Case c;
  c.file(
      "database:\n  type: postgres\n  postgres:\n"
      "    connection_string: postgres://u:p@db:5432/lake\n"
      "    max_open_connections: 7\n    max_idle_connections: 3\n"
      "    connection_max_lifetime: 90s\n    scan_page_size: 500\n");
  const LoadedConfig loaded = load_config(c.sources);
  EXPECT_TRUE(loaded.problems.empty());
  EXPECT_EQ(loaded.config.database, DatabaseType::postgres);
  EXPECT_EQ(loaded.config.postgres.connection_string, "postgres://u:p@db:5432/lake");
  EXPECT_EQ(loaded.config.postgres.connections_max, 7U);
  EXPECT_EQ(loaded.config.postgres.idle_max, 3U);
  EXPECT_EQ(loaded.config.postgres.lifetime, std::chrono::seconds(90));
}

TEST(Config, PostgresNeedsAConnectionString) {
  Case c;
  c.file("database:\n  type: postgres\n");
  EXPECT_TRUE(mentions(load_config(c.sources).problems, "connection_string: required"));
}

TEST(Config, LaterSourcesWin) {
  Case c;
  c.file("listen_address: from-file:1\n");
  c.sources.environment["LAKEFS_LISTEN_ADDRESS"] = "from-lakefs:1";
  EXPECT_EQ(load_config(c.sources).config.server.listen_address, "from-lakefs:1");
  c.sources.environment["TARN_LISTEN_ADDRESS"] = "from-tarn:1";
  EXPECT_EQ(load_config(c.sources).config.server.listen_address, "from-tarn:1");
  c.sources.overrides["listen_address"] = "from-flag:1";
  EXPECT_EQ(load_config(c.sources).config.server.listen_address, "from-flag:1");
}

TEST(Config, WarnsOfVariablesAndKeysItDoesNotActOn) {
  Case c;
  c.sources.environment["LAKEFS_DATABASE_TYPE"] = "local";
  c.sources.environment["LAKEFS_STATS_ENABLED"] = "false";
  c.sources.environment["LAKEFS_NO_SUCH_KEY"] = "1";
  const LoadedConfig loaded = load_config(c.sources);
  EXPECT_TRUE(loaded.problems.empty());
  EXPECT_EQ(loaded.config.database, DatabaseType::local);
  EXPECT_TRUE(mentions(loaded.warnings, "stats.enabled has no effect"));
  EXPECT_TRUE(mentions(loaded.warnings, "LAKEFS_NO_SUCH_KEY: unknown variable"));
}

TEST(Config, NeverRepeatsASecret) {
  Case c;
  c.sources.overrides["installation.secret_access_key"] = "TOPSECRET";
  const LoadedConfig loaded = load_config(c.sources);
  EXPECT_FALSE(loaded.problems.empty());
  EXPECT_FALSE(mentions(loaded.problems, "TOPSECRET"));
}

TEST(Config, RefusesWhatIsNotAMapAndWhatDoesNotParse) {
  for (const char* yaml : {"- a\n", "a: [\n", "just text\n"}) {
    Case c;
    c.file(yaml);
    EXPECT_FALSE(load_config(c.sources).problems.empty()) << yaml;
  }
  Case missing;
  missing.sources.file = "/nonexistent/file.yaml";
  EXPECT_TRUE(mentions(load_config(missing.sources).problems, "cannot be read"));
}

TEST(Config, RefusesAnAliasThatLeadsBackToItself) {
  Case c;
  c.file("logging: &x\n  deeper: *x\n");
  EXPECT_TRUE(mentions(load_config(c.sources).problems, "nested too deeply"));
}

TEST(Config, DefaultsInTheTableAreThoseOfTheCode) {
  // A documented default that parses must change nothing.
  for (const Key& key : config_keys()) {
    if (!key.set || key.default_value.empty() || key.default_value.starts_with("~")) continue;
    Case c;
    const Config before = load_config(c.sources).config;
    Config after = before;
    if (key.set(after, key.default_value)) continue;  // "one per core" and the like
    EXPECT_EQ(after.server.connections_max, before.server.connections_max) << key.name;
    EXPECT_EQ(after.server.header_bytes_max, before.server.header_bytes_max) << key.name;
    EXPECT_EQ(after.server.idle_timeout, before.server.idle_timeout) << key.name;
    EXPECT_EQ(after.server.stall_timeout, before.server.stall_timeout) << key.name;
    EXPECT_EQ(after.server.header_timeout, before.server.header_timeout) << key.name;
    EXPECT_EQ(after.server.shutdown_grace, before.server.shutdown_grace) << key.name;
    EXPECT_EQ(after.server.listen_address, before.server.listen_address) << key.name;
    EXPECT_EQ(after.file_threads, before.file_threads) << key.name;
    EXPECT_EQ(after.metadata_threads, before.metadata_threads) << key.name;
    EXPECT_EQ(after.json_body_bytes_max, before.json_body_bytes_max) << key.name;
    EXPECT_EQ(after.database_cache_bytes, before.database_cache_bytes) << key.name;
    EXPECT_EQ(after.postgres.connections_max, before.postgres.connections_max) << key.name;
    EXPECT_EQ(after.postgres.idle_max, before.postgres.idle_max) << key.name;
    EXPECT_EQ(after.postgres.lifetime, before.postgres.lifetime) << key.name;
    EXPECT_EQ(after.postgres.statement_timeout, before.postgres.statement_timeout) << key.name;
    EXPECT_EQ(after.temp_bytes_max, before.temp_bytes_max) << key.name;
    EXPECT_EQ(after.committed.memory_cache_bytes, before.committed.memory_cache_bytes) << key.name;
    EXPECT_EQ(after.committed.disk_cache_bytes, before.committed.disk_cache_bytes) << key.name;
    EXPECT_EQ(after.committed.range_bytes_max, before.committed.range_bytes_max) << key.name;
    EXPECT_EQ(after.engine.commit_cache_entries, before.engine.commit_cache_entries) << key.name;
    EXPECT_EQ(after.engine.repository_cache_age, before.engine.repository_cache_age) << key.name;
    EXPECT_EQ(after.auth.login_duration, before.auth.login_duration) << key.name;
    EXPECT_EQ(after.auth.cache_age, before.auth.cache_age) << key.name;
    EXPECT_EQ(after.s3_domains, before.s3_domains) << key.name;
  }
}

}  // namespace
}  // namespace tarn::app
