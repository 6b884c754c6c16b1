// A PostgreSQL of a test's own: a temporary directory, a Unix socket in it, no durability. Needs
// Debian's package `postgresql` (its binaries, not its service); root hands over to its user.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::testing {

/// Whether PostgreSQL's binaries were found ($TARN_POSTGRES_BIN, else Debian's place, $PATH).
/// Throws std::runtime_error when that variable names a folder without them.
bool have_postgres();

/// For the body of a test that needs one.
#define TARN_SKIP_WITHOUT_POSTGRES()                                                    \
  if (!::tarn::testing::have_postgres())                                                \
  GTEST_SKIP() << "SKIPPED: PostgreSQL's binaries were not found; install the package " \
                  "postgresql or set TARN_POSTGRES_BIN"

class PostgresCluster {
 public:
  /// Makes and starts it. `settings` as "name=value", beside those that make tests quick. Throws
  /// std::runtime_error with the server's log.
  explicit PostgresCluster(std::vector<std::string> settings = {});
  ~PostgresCluster();
  PostgresCluster(const PostgresCluster&) = delete;
  PostgresCluster& operator=(const PostgresCluster&) = delete;

  /// One for the whole process, made on first use; lives until the process ends.
  static PostgresCluster& shared();

  /// As a superuser over the socket; the database `postgres` exists.
  std::string connection_string(std::string_view database = "postgres") const;

  /// The directory of the socket, .s.PGSQL.5432 unless it listens on the loopback.
  const std::string& socket_directory() const;

  std::string socket_path() const;
  int port() const;

  /// Starts it anew, listening on 127.0.0.1 as well; the port.
  int listen_on_loopback();

  /// Ends every process at once, as a crash does.
  void kill();
  void start();

  /// From the next start() on it is a replica of a primary that cannot be reached, or it is itself
  /// again.
  void be_replica(bool yes);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tarn::testing
