// Connecting, for pool threads: resolving names, TLS and the first statements take round trips and
// CPU that a loop must not wait for. Ends in a connection ready for the loop.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <libpq-fe.h>

#include "kv/postgres/postgres_config.h"

namespace tarn::kv {

struct PgFinish {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};

using PgConnection = std::unique_ptr<PGconn, PgFinish>;

struct PgClear {
  void operator()(PGresult* result) const { PQclear(result); }
};

using PgResult = std::unique_ptr<PGresult, PgClear>;

/// Blocking calls, each bounded by the deadline of the session and by `stop`.
class BlockingSession {
 public:
  /// Connects. `stop` set by another thread ends the wait within 100 ms. Throws
  /// Error{unavailable}; the server's words go to the log.
  BlockingSession(const PostgresConfig& config, const std::atomic<bool>& stop);

  /// Further statements may take until `limit` from now.
  void allow(std::chrono::milliseconds limit);

  /// Runs one statement; text results. Throws Error.
  PgResult execute(const std::string& sql, const std::vector<std::string>& parameters = {});
  /// The first value of the first row; "" for none.
  std::string value_of(const std::string& sql, const std::vector<std::string>& parameters = {});

  /// Throws Error{invalid_argument} when the server is a replica or refuses writes.
  void require_writable();
  /// Whether transactions can take the locks of guard_locks(), and see what was committed while
  /// they waited. Some engines have the functions and lock nothing.
  bool can_lock();
  void prepare_statements(bool locks);

  /// Into pipeline mode, non-blocking.
  PgConnection release_pipelined();

 private:
  void connect();
  /// Everything ordered is in the order of the primary key. Of a partition filled since the last
  /// ANALYZE the planner expects few rows, and would rather sort them, all of them for every page,
  /// than walk the index; no form of the statement forbids that. Does nothing on engines without
  /// the setting.
  void plan_without_sorts();
  /// Waits until the socket is ready for `events` of poll().
  void wait(short events);
  [[noreturn]] void fail_connection(const char* what);

  const PostgresConfig& config_;
  const std::atomic<bool>& stop_;
  std::chrono::steady_clock::time_point deadline_;
  PgConnection connection_;
};

/// What a lane needs: connected, writable, statements prepared, pipelined.
PgConnection connect_pipelined(const PostgresConfig& config, const std::atomic<bool>& stop,
                               bool locks);

}  // namespace tarn::kv
