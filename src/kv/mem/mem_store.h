// The store as an ordered map in memory: for tests and demonstrations. Nothing survives it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/task.h"
#include "kv/paged_cursor.h"
#include "kv/store.h"

namespace tarn::kv {

/// Never suspends in fact. A run() is one critical section, so it is even atomic; callers must not
/// count on that. Scans are live: each page sees what is stored when it is fetched.
class MemStore final : public Store {
 public:
  Task<std::optional<std::string>> get(Context& ctx, std::string_view partition,
                                       std::string_view key) override;
  Task<std::vector<std::optional<std::string>>> get_many(Context& ctx,
                                                         std::vector<Address> addresses) override;
  Task<std::vector<OpResult>> run(Context& ctx, std::vector<Op> ops) override;

  Guard guard() const override { return Guard::exact; }

  std::unique_ptr<Cursor> scan(std::string_view partition, ScanOptions options) override;
  Task<std::vector<Row>> read_rows(Context& ctx, std::optional<Address> after,
                                   std::uint32_t rows_max) override;
  Task<> close() override;

 private:
  friend class MemCursor;
  using Partition = std::map<std::string, std::string, std::less<>>;

  // Synchronous halves; each takes the mutex for its whole length.
  std::optional<std::string> get_now(std::string_view partition, std::string_view key) const;
  std::vector<OpResult> run_now(std::vector<Op>& ops);
  Page page_now(std::string_view partition, const PageRequest& request) const;
  std::vector<Row> rows_now(const std::optional<Address>& after, std::uint32_t rows_max) const;

  // The caller holds mutex_.
  void check_open() const;
  const std::string* find(std::string_view partition, std::string_view key) const;
  OpResult apply(Op& op);

  mutable std::mutex mutex_;
  std::map<std::string, Partition, std::less<>> partitions_;
  bool closed_ = false;
};

}  // namespace tarn::kv
