// The operator's connection string as libpq wants it. The reference's driver understands a little
// more: run-time parameters of the server among the options, and pool settings of its own.
#pragma once

#include <string>
#include <string_view>

namespace tarn::kv {

/// `text` with what libpq would refuse taken out: unknown parameters of a URI become server options
/// (-c name=value), those that only the reference's driver knows are dropped. Other forms come back
/// unchanged.
std::string libpq_connection_string(std::string_view text);

/// Whether statements may be prepared on a connection and settings made for its session. Not where
/// the URI asks the reference's driver for neither (default_query_exec_mode=exec, ...): then a
/// pooler that gives every transaction another connection (PgBouncer in transaction mode) may stand
/// in between.
bool prepares_statements(std::string_view connection_string);

/// Host and database for messages and logs: no user, no password. "" if it does not parse.
std::string describe_connection(const std::string& connection_string);

}  // namespace tarn::kv
