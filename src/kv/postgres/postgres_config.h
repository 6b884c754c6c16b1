// What an operator decides about the store in PostgreSQL.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace tarn::kv {

struct PostgresConfig {
  /// As libpq and the reference take it: a postgres:// URI or key=value pairs, sslmode included.
  std::string connection_string;
  std::size_t connections_max = 25;
  std::size_t idle_max = 25;           // further ones are closed when they fall idle
  std::chrono::seconds lifetime{300};  // a connection is replaced at this age; 0 = never

  /// Off: a database without the table is refused, and nothing in it is changed at the start.
  bool create_table = true;

  std::chrono::milliseconds connect_timeout{10'000};
  /// Without a connection for so long, a waiting call ends with Error{unavailable}, whatever its
  /// deadline.
  std::chrono::milliseconds unreachable_after{15'000};
  /// A statement may take so long on the server, whatever its deadline.
  std::chrono::milliseconds statement_timeout{60'000};

  std::size_t queue_jobs_max = 16'384;  // calls waiting, per loop; then Error{unavailable}
  std::size_t queue_bytes_max = 64 * 1'024 * 1'024;
};

}  // namespace tarn::kv
