#include "kv/postgres/pg_error.h"

#include "base/log.h"

namespace tarn::kv {

namespace {

ErrorCode code_of(std::string_view state) {
  if (state == "57014") return ErrorCode::deadline_exceeded;  // cancelled, statement_timeout
  if (state == "53100") return ErrorCode::storage_full;       // disk full
  if (state.starts_with("53")) return ErrorCode::throttled;   // out of memory, connections, ...
  if (state.starts_with("08") || state.starts_with("57") || state.starts_with("25") ||
      state.starts_with("40") || state.starts_with("28") || state.starts_with("55")) {
    return ErrorCode::unavailable;
  }
  if (state.starts_with("XX")) return ErrorCode::corrupt;
  if (state.starts_with("54")) return ErrorCode::too_large;  // a limit of the engine
  return ErrorCode::internal;
}

std::string message_for(ErrorCode code) {
  switch (code) {
    case ErrorCode::deadline_exceeded: return "metadata store: deadline exceeded";
    case ErrorCode::storage_full: return "metadata store: disk full";
    case ErrorCode::throttled: return "metadata store is overloaded";
    case ErrorCode::unavailable: return "metadata store is unavailable";
    case ErrorCode::corrupt: return "metadata store: stored data is damaged";
    case ErrorCode::too_large: return "metadata store: record too large";
    default: return "metadata store failed";
  }
}

}  // namespace

bool PgFailure::transient() const {
  return sqlstate == "40001" || sqlstate == "40P01";
}

bool PgFailure::statement_lost() const {
  return sqlstate == "26000" || sqlstate == "42P05";
}

bool PgFailure::fatal() const {
  // Shutting down, or demoted to a replica: nothing more can be written on this connection.
  return sqlstate.starts_with("57P") || sqlstate.starts_with("08") || sqlstate == "25006";
}

PgFailure failure_of(const PGresult& result) {
  const char* state = PQresultErrorField(&result, PG_DIAG_SQLSTATE);
  const char* text = PQresultErrorField(&result, PG_DIAG_MESSAGE_PRIMARY);
  if (text == nullptr) text = PQresultErrorMessage(&result);
  return {state == nullptr ? "" : state, text};
}

Error to_error(const PgFailure& failure) {
  const ErrorCode code = code_of(failure.sqlstate);
  log::error("metadata store: PostgreSQL reports an error",
             {{"sqlstate", failure.sqlstate}, {"error", failure.text}});
  if (failure.statement_lost()) {
    return {ErrorCode::unavailable,
            "metadata store: prepared statements are lost between transactions; with a pooler in "
            "transaction mode add default_query_exec_mode=exec to the connection string"};
  }
  return {code, message_for(code)};
}

std::exception_ptr to_exception(const PgFailure& failure) {
  return std::make_exception_ptr(to_error(failure));
}

}  // namespace tarn::kv
