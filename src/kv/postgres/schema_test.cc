// What is made in an empty database, and what is refused.
#include "kv/postgres/schema.h"

#include <memory>
#include <string>

#include "base/error.h"
#include "base/format.h"
#include "io/blocking_pool.h"
#include "io/loops.h"
#include "kv/postgres/blocking_session.h"
#include "kv/postgres/postgres_store.h"
#include "testing/co_test.h"
#include "testing/postgres_cluster.h"

namespace tarn::kv {
namespace {

using tarn::testing::PostgresCluster;

/// A database of its own for each test, owned by a role without privileges.
class SchemaTest : public ::testing::Test {
 public:
  void SetUp() override {
    TARN_SKIP_WITHOUT_POSTGRES();
    const std::string name = ::testing::UnitTest::GetInstance()->current_test_info()->name();
    admin("DROP DATABASE IF EXISTS \"" + name + "\"");  // of an earlier round
    admin("DROP ROLE IF EXISTS \"" + name + "\"");
    admin("CREATE ROLE \"" + name + "\" LOGIN NOSUPERUSER");
    admin("CREATE DATABASE \"" + name + "\" OWNER \"" + name + "\"");
    config.connection_string =
        PostgresCluster::shared().connection_string("'" + name + "'") + " user='" + name + "'";
  }

  static void admin(const std::string& sql) {
    const PostgresConfig as_admin{.connection_string =
                                      PostgresCluster::shared().connection_string()};
    const std::atomic<bool> stop = false;
    BlockingSession(as_admin, stop).execute(sql);
  }

  std::string value_of(const std::string& sql) {
    return BlockingSession(config, stop).value_of(sql);
  }

  std::unique_ptr<PostgresStore> open() { return PostgresStore::open(config, loops, pool); }

  void expect_refused(ErrorCode code, const std::string& words) {
    try {
      open();
      ADD_FAILURE() << "opened";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.message();
      EXPECT_NE(error.message().find(words), std::string::npos) << error.message();
    }
  }

  PostgresConfig config;
  std::atomic<bool> stop = false;
  io::Loops loops{1};
  io::BlockingPool pool{{.name = "metadata"}};
};

TEST_F(SchemaTest, EmptyDatabaseGetsTheReferencesTableWithoutASuperuser) {
  open();
  EXPECT_EQ(value_of("SELECT count(*) FROM pg_inherits WHERE inhparent = 'kv'::regclass"), "100");
  EXPECT_EQ(value_of("SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE relname = 'kv_42'"),
            "FOR VALUES WITH (modulus 100, remainder 42)");
  EXPECT_EQ(value_of("SELECT count(*) FROM kv_v"), "0");
  open();
}

TEST_F(SchemaTest, LookingOnlyMakesNothing) {
  config.create_table = false;
  expect_refused(ErrorCode::invalid_argument, "no metadata table");
  EXPECT_EQ(value_of("SELECT count(*) FROM pg_class WHERE relname LIKE 'kv%'"), "0");
}

TEST_F(SchemaTest, HalfMadeTableIsCompleted) {
  open();
  value_of("DROP TABLE kv_7");
  open();
  EXPECT_EQ(value_of("SELECT count(*) FROM pg_inherits WHERE inhparent = 'kv'::regclass"), "100");
}

TEST_F(SchemaTest, CompleteTableNeedsNoRightToCreate) {
  open();
  value_of("REVOKE CREATE ON SCHEMA public FROM PUBLIC");
  open();
}

CO_TEST_F(SchemaTest, FourRightsOnTheTableAreEnough) {
  self.open();
  SchemaTest::admin("DROP ROLE IF EXISTS clerk");
  SchemaTest::admin("CREATE ROLE clerk LOGIN NOSUPERUSER");
  self.value_of("REVOKE CREATE ON SCHEMA public FROM PUBLIC");
  self.value_of("GRANT SELECT, INSERT, UPDATE, DELETE ON kv TO clerk");
  self.config.connection_string += " user=clerk";
  auto store = self.open();
  co_await store->set(ctx, "p", "k", "v");
  EXPECT_EQ(co_await store->set_if(ctx, "p", "k", "w", Expect::value("v")), SetIf::stored);
  EXPECT_EQ(co_await store->get(ctx, "p", "k"), "w");
  EXPECT_EQ((co_await store->read_rows(ctx, std::nullopt, 10)).size(), 1u);
  co_await store->erase(ctx, "p", "k");
  co_await store->close();
}

CO_TEST_F(SchemaTest, PlainTableOfTheSameShapeIsServed) {
  self.value_of(
      "CREATE TABLE kv (partition_key bytea NOT NULL, key bytea NOT NULL, value bytea NOT NULL, "
      "PRIMARY KEY (partition_key, key))");
  auto store = self.open();
  co_await store->set(ctx, "p", "k", "v");
  EXPECT_EQ(co_await store->get(ctx, "p", "k"), "v");
  co_await store->close();
}

TEST_F(SchemaTest, TablesOfAnotherShapeAreRefusedUnchanged) {
  for (const char* create :
       {"CREATE TABLE kv (id int PRIMARY KEY)",
        "CREATE TABLE kv (partition_key bytea NOT NULL, key bytea NOT NULL, value bytea NOT NULL)",
        "CREATE TABLE kv (partition_key bytea NOT NULL, key bytea NOT NULL, value bytea, "
        "PRIMARY KEY (partition_key, key))",
        "CREATE TABLE kv (partition_key text NOT NULL, key text NOT NULL, value text NOT NULL, "
        "PRIMARY KEY (partition_key, key))",
        "CREATE TABLE kv (partition_key bytea NOT NULL, key bytea NOT NULL, value bytea NOT NULL, "
        "PRIMARY KEY (partition_key, key)) PARTITION BY RANGE (partition_key)"}) {
    value_of(create);
    expect_refused(ErrorCode::invalid_argument, "nothing was changed");
    EXPECT_EQ(value_of("SELECT count(*) FROM pg_class WHERE relname = 'kv_v'"), "0");
    value_of("DROP TABLE kv");
  }
  value_of("CREATE VIEW kv AS SELECT 1 AS x");
  expect_refused(ErrorCode::invalid_argument, "not a table");
}

TEST_F(SchemaTest, OtherNumberOfPartitionsIsRefused) {
  value_of(
      "CREATE TABLE kv (partition_key bytea NOT NULL, key bytea NOT NULL, value bytea NOT NULL, "
      "PRIMARY KEY (partition_key, key)) PARTITION BY HASH (partition_key)");
  value_of("CREATE TABLE kv_0 PARTITION OF kv FOR VALUES WITH (MODULUS 10, REMAINDER 0)");
  expect_refused(ErrorCode::invalid_argument, "partitioned otherwise");
}

TEST_F(SchemaTest, DatabaseThatRefusesWritesIsRefused) {
  open();
  const std::string name = ::testing::UnitTest::GetInstance()->current_test_info()->name();
  admin("ALTER DATABASE \"" + name + "\" SET default_transaction_read_only = on");
  expect_refused(ErrorCode::invalid_argument, "refuses writes");
}

TEST_F(SchemaTest, WrongDatabaseIsAClearErrorWithoutThePassword) {
  config.connection_string += " dbname=nowhere password=secret";
  try {
    open();
    ADD_FAILURE() << "opened";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unavailable);
    EXPECT_NE(error.message().find("nowhere"), std::string::npos) << error.message();
    EXPECT_EQ(error.message().find("secret"), std::string::npos) << error.message();
  }
}

}  // namespace
}  // namespace tarn::kv
