#include "kv/postgres/schema.h"

#include <string>
#include <string_view>

#include "base/error.h"
#include "base/format.h"
#include "base/log.h"
#include "kv/postgres/blocking_session.h"

namespace tarn::kv {

namespace {

constexpr int kPartitions = 100;
constexpr std::string_view kLock = "4109714936";  // FNV-1a-32 of "lakefs:kv"
constexpr std::chrono::milliseconds kSetupLimit{120'000};

enum class Found { nothing, part_of_it, all_of_it };

[[noreturn]] void refuse(std::string_view why) {
  throw Error(ErrorCode::invalid_argument,
              format("metadata store: the database has a table \"kv\" that is not a metadata table "
                     "({}); nothing was changed",
                     why));
}

/// What is there; throws when it is something else.
Found look(BlockingSession& session) {
  const std::string kind = session.value_of(
      "SELECT relkind::text FROM pg_catalog.pg_class WHERE oid = to_regclass('\"kv\"')");
  if (kind.empty()) return Found::nothing;
  if (kind != "p" && kind != "r") refuse("it is not a table");
  const std::string columns = session.value_of(
      "SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod) || ' ' || "
      "attnotnull::text, ',' ORDER BY attnum) FROM pg_catalog.pg_attribute "
      "WHERE attrelid = to_regclass('\"kv\"') AND attnum > 0 AND NOT attisdropped");
  if (columns != "partition_key bytea true,key bytea true,value bytea true") {
    refuse("other columns: " + columns);
  }
  const std::string key = session.value_of(
      "SELECT pg_get_constraintdef(oid) FROM pg_catalog.pg_constraint "
      "WHERE conrelid = to_regclass('\"kv\"') AND contype = 'p'");
  if (key != "PRIMARY KEY (partition_key, key)") refuse("another primary key: " + key);
  if (kind == "r") return Found::all_of_it;  // engines that split tables themselves
  const std::string split = session.value_of("SELECT pg_get_partkeydef(to_regclass('\"kv\"'))");
  if (split != "HASH (partition_key)") refuse("partitioned otherwise: " + split);
  const int parts = std::stoi(session.value_of(
      "SELECT count(*) FROM pg_catalog.pg_inherits WHERE inhparent = to_regclass('\"kv\"')"));
  if (parts > kPartitions) refuse(format("{} partitions", parts));
  const std::string foreign = session.value_of(format(
      "SELECT count(*) FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = "
      "i.inhrelid WHERE i.inhparent = to_regclass('\"kv\"') AND "
      "pg_get_expr(c.relpartbound, c.oid) NOT LIKE 'FOR VALUES WITH (modulus {}, remainder %'",
      kPartitions));
  if (foreign != "0") refuse("partitioned otherwise");
  return parts == kPartitions ? Found::all_of_it : Found::part_of_it;
}

void create(BlockingSession& session) {
  session.execute(
      "CREATE TABLE IF NOT EXISTS \"kv\" (partition_key BYTEA NOT NULL, key BYTEA NOT NULL, value "
      "BYTEA NOT NULL, PRIMARY KEY (partition_key, key)) PARTITION BY HASH (partition_key)");
  for (int i = 0; i < kPartitions; ++i) {
    session.execute(format(
        "CREATE TABLE IF NOT EXISTS \"kv_{}\" PARTITION OF \"kv\" FOR VALUES WITH (MODULUS {}, "
        "REMAINDER {})",
        i, kPartitions, i));
  }
  session.execute(
      "CREATE OR REPLACE VIEW \"kv_v\" AS SELECT ENCODE(partition_key, 'escape') AS "
      "partition_key, ENCODE(key, 'escape') AS key, value FROM \"kv\"");
}

}  // namespace

void open_schema(BlockingSession& session, bool create_missing) {
  if (look(session) == Found::all_of_it) return;
  if (!create_missing) {
    throw Error(ErrorCode::invalid_argument,
                "metadata store: the database holds no metadata table, or only part of one");
  }
  session.allow(kSetupLimit);
  // One transaction: the lock goes with it, whoever's connection it was taken on.
  session.execute("BEGIN");
  session.execute(format("SELECT pg_advisory_xact_lock({})", kLock));
  // Somebody else may have been first.
  if (look(session) != Found::all_of_it) {
    log::info("metadata store: creating the table");
    create(session);
    if (look(session) != Found::all_of_it) refuse("it cannot be completed");
  }
  session.execute("COMMIT");
}

}  // namespace tarn::kv
