// The store that several servers share, in PostgreSQL: the reference's table, so that an
// installation can be taken over and handed back in place.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/task.h"
#include "kv/postgres/postgres_config.h"
#include "kv/store.h"

namespace tarn::io {
class BlockingPool;
class Loops;
}  // namespace tarn::io

namespace tarn::kv {

/// As Store, and: a page of a scan is a snapshot, a scan of several pages is not. Calls from a loop
/// of `loops` are served on that loop. Partition, key and value limits are the contract's.
///
/// A connection that breaks is replaced; reads are asked again until their deadline, a write whose
/// answer is lost throws Error{unavailable}. While the server cannot be reached calls wait for it
/// until their deadline, at most PostgresConfig::unreachable_after.
class PostgresStore final : public Store {
 public:
  /// Blocking: connects, makes the table in an empty database, refuses one it does not know.
  /// `loops`, whose loops are one thread each, and `pool`, which connects, must outlive the store.
  /// Throws Error{unavailable} when the server cannot be reached; Error{invalid_argument} for a
  /// replica or one that refuses writes, another layout, a server older than PostgreSQL 11.
  static std::unique_ptr<PostgresStore> open(PostgresConfig config, const io::Loops& loops,
                                             io::BlockingPool& pool);

  /// Closes, blocking, if close() has not been awaited: never on a loop of `loops`.
  ~PostgresStore() override;

  Task<std::optional<std::string>> get(Context& ctx, std::string_view partition,
                                       std::string_view key) override;
  Task<std::vector<std::optional<std::string>>> get_many(Context& ctx,
                                                         std::vector<Address> addresses) override;
  Task<std::vector<OpResult>> run(Context& ctx, std::vector<Op> ops) override;

  /// exact by advisory locks, close on engines without them.
  Guard guard() const override;

  std::unique_ptr<Cursor> scan(std::string_view partition, ScanOptions options) override;
  Task<std::vector<Row>> read_rows(Context& ctx, std::optional<Address> after,
                                   std::uint32_t rows_max) override;
  Task<> close() override;

 private:
  friend class PostgresCursor;
  struct Impl;
  explicit PostgresStore(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace tarn::kv
