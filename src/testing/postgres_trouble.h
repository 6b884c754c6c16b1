// A PostgreSQL whose connections break at a chosen place of its protocol.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace tarn::testing {

class PostgresCluster;

/// Stands between clients and a cluster and counts what ends a transaction (the protocol's Sync),
/// over all connections and what opens them included.
class PostgresTrouble {
 public:
  /// Where the connection of the n-th is cut.
  enum class Fault : std::uint8_t {
    before,  // it does not reach the server, which rolls back
    after,   // the server has done it, and no byte of its answer arrives
    torn,    // the server has done it, and its last word does not arrive
  };

  explicit PostgresTrouble(const PostgresCluster& cluster);
  ~PostgresTrouble();
  PostgresTrouble(const PostgresTrouble&) = delete;
  PostgresTrouble& operator=(const PostgresTrouble&) = delete;

  std::string connection_string(std::string_view database = "postgres") const;

  /// The n-th from now on (1 = the next) is hit, once.
  void fail_nth(std::uint64_t n, Fault fault);
  /// The n-th is hit, and then every connection is cut and none can be made, until heal().
  void fail_from(std::uint64_t n, Fault fault);
  void heal();

  /// Whether it came to the n-th.
  bool struck() const;
  /// Open connections, on either side.
  std::size_t connections() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tarn::testing
