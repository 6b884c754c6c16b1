#include "kv/postgres/blocking_session.h"

#include <algorithm>
#include <string_view>

#include <poll.h>

#include "base/error.h"
#include "base/format.h"
#include "base/log.h"
#include "kv/postgres/connection_string.h"
#include "kv/postgres/pg_error.h"
#include "kv/postgres/statements.h"

namespace tarn::kv {

namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr int kOldestServer = 110000;
constexpr milliseconds kStopCheck{100};

void drop_notice(void*, const PGresult*) {}

std::string one_line(std::string_view text) {
  std::string line(text);
  std::ranges::replace(line, '\n', ' ');
  while (line.ends_with(' '))
    line.pop_back();
  return line;
}

}  // namespace

BlockingSession::BlockingSession(const PostgresConfig& config, const std::atomic<bool>& stop)
    : config_(config), stop_(stop), deadline_(steady_clock::now() + config.connect_timeout) {
  connect();
}

void BlockingSession::allow(milliseconds limit) {
  deadline_ = steady_clock::now() + limit;
}

void BlockingSession::connect() {
  const std::string target = libpq_connection_string(config_.connection_string);
  const std::string timeout = std::to_string(config_.statement_timeout.count());
  // The operator's own settings come later and win.
  const char* const names[] = {"application_name", "keepalives_idle", "tcp_user_timeout",
                               "client_encoding",  "dbname",          nullptr};
  const char* const values[] = {"tarn", "30", "20000", "UTF8", target.c_str(), nullptr};
  connection_.reset(PQconnectStartParams(names, values, 1));
  if (!connection_) throw Error(ErrorCode::unavailable, "metadata store: out of memory");
  PQsetNoticeReceiver(connection_.get(), &drop_notice, nullptr);
  if (PQstatus(connection_.get()) == CONNECTION_BAD) fail_connection("cannot connect");
  for (auto state = PGRES_POLLING_WRITING; state != PGRES_POLLING_OK;) {
    if (state == PGRES_POLLING_FAILED) fail_connection("cannot connect");
    wait(state == PGRES_POLLING_READING ? POLLIN : POLLOUT);
    state = PQconnectPoll(connection_.get());
  }
  if (PQsetnonblocking(connection_.get(), 1) != 0) fail_connection("cannot connect");
  const int version = PQserverVersion(connection_.get());
  if (version < kOldestServer) {
    throw Error(ErrorCode::invalid_argument,
                format("metadata store: PostgreSQL 11 or later is needed, this is {}", version));
  }
  if (!prepares_statements(config_.connection_string)) return;  // nothing is kept
  execute("SELECT set_config('statement_timeout', $1, false)", {timeout});
  plan_without_sorts();
}

void BlockingSession::plan_without_sorts() {
  try {
    execute(
        "SELECT set_config(name, 'off', false) FROM pg_catalog.pg_settings "
        "WHERE name = 'enable_sort'");
  } catch (const Error& error) {
    if (error.code() == ErrorCode::unavailable) throw;
    log::debug("metadata store: this database does not list settings",
               {{"error", error.message()}});
  }
}

void BlockingSession::fail_connection(const char* what) {
  const std::string text = one_line(PQerrorMessage(connection_.get()));
  log::warn("metadata store: no connection to PostgreSQL", {{"error", text}});
  throw Error(ErrorCode::unavailable,
              format("{} to the metadata {}", what,
                     describe_connection(libpq_connection_string(config_.connection_string))));
}

void BlockingSession::wait(short events) {
  while (true) {
    const auto now = steady_clock::now();
    if (stop_) throw Error(ErrorCode::unavailable, "metadata store is closed");
    if (now >= deadline_) {
      log::warn("metadata store: PostgreSQL does not answer", {});
      throw Error(ErrorCode::unavailable, "metadata store does not answer");
    }
    const auto slice =
        std::min(kStopCheck, duration_cast<milliseconds>(deadline_ - now) + milliseconds(1));
    pollfd entry{.fd = PQsocket(connection_.get()), .events = events, .revents = 0};
    if (::poll(&entry, 1, static_cast<int>(slice.count())) > 0) return;
  }
}

PgResult BlockingSession::execute(const std::string& sql,
                                  const std::vector<std::string>& parameters) {
  std::vector<const char*> values;
  values.reserve(parameters.size());
  for (const std::string& parameter : parameters)
    values.push_back(parameter.c_str());
  PGconn* const c = connection_.get();
  if (PQsendQueryParams(c, sql.c_str(), static_cast<int>(values.size()), nullptr, values.data(),
                        nullptr, nullptr, 0) != 1) {
    fail_connection("lost the connection");
  }
  while (PQflush(c) == 1)
    wait(POLLOUT);
  PgResult last;
  while (true) {
    while (PQisBusy(c) != 0) {
      wait(POLLIN);
      if (PQconsumeInput(c) != 1) fail_connection("lost the connection");
    }
    PgResult result(PQgetResult(c));
    if (!result) break;
    last = std::move(result);
  }
  if (!last) fail_connection("lost the connection");
  const ExecStatusType status = PQresultStatus(last.get());
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) throw to_error(failure_of(*last));
  return last;
}

std::string BlockingSession::value_of(const std::string& sql,
                                      const std::vector<std::string>& parameters) {
  const PgResult result = execute(sql, parameters);
  if (PQntuples(result.get()) == 0 || PQnfields(result.get()) == 0) return {};
  return {PQgetvalue(result.get(), 0, 0),
          static_cast<std::size_t>(PQgetlength(result.get(), 0, 0))};
}

void BlockingSession::require_writable() {
  if (value_of("SHOW transaction_read_only") != "on") return;
  const bool replica = value_of("SELECT pg_is_in_recovery()") == "t";
  throw Error(ErrorCode::invalid_argument,
              replica ? "metadata store: this PostgreSQL is a replica, the primary is needed"
                      : "metadata store: this PostgreSQL refuses writes (read-only transactions)");
}

bool BlockingSession::can_lock() {
  if (value_of("SHOW transaction_isolation") != "read committed") return false;
  bool locked = false;
  execute("BEGIN");
  try {
    execute("SELECT pg_advisory_xact_lock_shared(pg_backend_pid())");
    locked = value_of(
                 "SELECT count(*) FROM pg_catalog.pg_locks WHERE locktype = 'advisory' "
                 "AND pid = pg_backend_pid() AND granted") != "0";
  } catch (const Error& error) {
    if (error.code() == ErrorCode::unavailable) throw;
    log::info("metadata store: this database has no advisory locks", {{"error", error.message()}});
  }
  execute("ROLLBACK");
  return locked;
}

void BlockingSession::prepare_statements(bool locks) {
  if (!prepares_statements(config_.connection_string)) return;
  // All in one round trip.
  PGconn* const c = connection_.get();
  if (PQenterPipelineMode(c) != 1) fail_connection("lost the connection");
  for (const PreparedStatement& statement : prepared_statements(locks)) {
    if (PQsendPrepare(c, statement.name, statement.sql, 0, nullptr) != 1) {
      fail_connection("lost the connection");
    }
  }
  if (PQpipelineSync(c) != 1) fail_connection("lost the connection");
  while (PQflush(c) == 1)
    wait(POLLOUT);
  for (bool synced = false; !synced;) {
    while (PQisBusy(c) != 0) {
      wait(POLLIN);
      if (PQconsumeInput(c) != 1) fail_connection("lost the connection");
    }
    const PgResult result(PQgetResult(c));
    if (!result) continue;
    const ExecStatusType status = PQresultStatus(result.get());
    if (status == PGRES_FATAL_ERROR) {
      const PgFailure failure = failure_of(*result);
      const Error error = to_error(failure);
      // Waiting does not help, as it does when the server is away.
      throw Error(failure.statement_lost() ? ErrorCode::invalid_argument : error.code(),
                  error.message());
    }
    synced = status == PGRES_PIPELINE_SYNC;
  }
}

PgConnection BlockingSession::release_pipelined() {
  if (PQpipelineStatus(connection_.get()) != PQ_PIPELINE_ON &&
      PQenterPipelineMode(connection_.get()) != 1) {
    fail_connection("lost the connection");
  }
  return std::move(connection_);
}

PgConnection connect_pipelined(const PostgresConfig& config, const std::atomic<bool>& stop,
                               bool locks) {
  BlockingSession session(config, stop);
  session.require_writable();
  session.prepare_statements(locks);
  return session.release_pipelined();
}

}  // namespace tarn::kv
