#include "kv/mem/mem_store.h"

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace tarn::kv {

class MemCursor final : public PagedCursor {
 public:
  MemCursor(MemStore& store, std::string_view partition, ScanOptions options)
      : PagedCursor(std::move(options)), store_(store), partition_(partition) {}

 protected:
  Task<Page> fetch(Context& ctx, PageRequest request) override {
    ctx.check_deadline();
    co_return store_.page_now(partition_, request);
  }

 private:
  MemStore& store_;
  std::string partition_;
};

Task<std::optional<std::string>> MemStore::get(Context& ctx, std::string_view partition,
                                               std::string_view key) {
  ctx.check_deadline();
  check_address(partition, key);
  co_return get_now(partition, key);
}

Task<std::vector<std::optional<std::string>>> MemStore::get_many(Context& ctx,
                                                                 std::vector<Address> addresses) {
  ctx.check_deadline();
  for (const Address& address : addresses)
    check_address(address.partition, address.key);
  std::vector<std::optional<std::string>> found;
  found.reserve(addresses.size());
  for (const Address& address : addresses) {
    found.push_back(get_now(address.partition, address.key));
  }
  co_return found;
}

Task<std::vector<OpResult>> MemStore::run(Context& ctx, std::vector<Op> ops) {
  ctx.check_deadline();
  check_ops(ops);
  co_return run_now(ops);
}

std::unique_ptr<Cursor> MemStore::scan(std::string_view partition, ScanOptions options) {
  return std::make_unique<MemCursor>(*this, partition, check_scan(partition, std::move(options)));
}

Task<std::vector<Row>> MemStore::read_rows(Context& ctx, std::optional<Address> after,
                                           std::uint32_t rows_max) {
  ctx.check_deadline();
  co_return rows_now(after, std::clamp<std::uint32_t>(rows_max, 1, kPageKeysMax));
}

Task<> MemStore::close() {
  std::lock_guard lock(mutex_);
  closed_ = true;
  co_return;
}

std::optional<std::string> MemStore::get_now(std::string_view partition,
                                             std::string_view key) const {
  std::lock_guard lock(mutex_);
  check_open();
  const std::string* value = find(partition, key);
  return value ? std::optional(*value) : std::nullopt;
}

std::vector<OpResult> MemStore::run_now(std::vector<Op>& ops) {
  std::lock_guard lock(mutex_);
  check_open();
  std::vector<OpResult> results;
  results.reserve(ops.size());
  for (Op& op : ops)
    results.push_back(apply(op));
  return results;
}

Page MemStore::page_now(std::string_view partition, const PageRequest& request) const {
  std::lock_guard lock(mutex_);
  check_open();
  Page page;
  const auto rows = partitions_.find(partition);
  if (rows != partitions_.end()) {
    auto row = rows->second.lower_bound(request.from);
    for (; row != rows->second.end() && row->first.starts_with(request.prefix); ++row) {
      if (page.full(request.rows_max)) return page;
      page.add(row->first, row->second);
    }
  }
  page.mark_last();
  return page;
}

std::vector<Row> MemStore::rows_now(const std::optional<Address>& after,
                                    std::uint32_t rows_max) const {
  std::lock_guard lock(mutex_);
  check_open();
  std::vector<Row> rows;
  auto partition = after ? partitions_.lower_bound(after->partition) : partitions_.begin();
  for (; partition != partitions_.end(); ++partition) {
    const bool goes_on = after && partition->first == after->partition;
    auto row = goes_on ? partition->second.upper_bound(after->key) : partition->second.begin();
    for (; row != partition->second.end(); ++row) {
      if (rows.size() == rows_max) return rows;
      rows.push_back({{partition->first, row->first}, row->second});
    }
  }
  return rows;
}

void MemStore::check_open() const {
  if (closed_) throw Error(ErrorCode::unavailable, "metadata store is closed");
}

const std::string* MemStore::find(std::string_view partition, std::string_view key) const {
  const auto rows = partitions_.find(partition);
  if (rows == partitions_.end()) return nullptr;
  const auto row = rows->second.find(key);
  return row == rows->second.end() ? nullptr : &row->second;
}

OpResult MemStore::apply(Op& op) {
  const auto& [partition, key] = op.address;
  OpResult result;
  if (op.guarded) {
    const std::string* guard = find(op.guarded->guard.partition, op.guarded->guard.key);
    result.stored = guard != nullptr && *guard == op.guarded->stored;
    if (!result.stored) return result;
  }
  switch (op.kind) {
    case Op::Kind::get: {
      if (const std::string* value = find(partition, key)) result.found = *value;
      return result;
    }
    case Op::Kind::set_if: {
      const std::string* value = find(partition, key);
      result.stored =
          holds(*op.expect, value ? std::optional<std::string_view>(*value) : std::nullopt);
      if (result.stored) partitions_[partition][key] = std::move(op.value);
      return result;
    }
    case Op::Kind::set: {
      partitions_[partition][key] = std::move(op.value);
      return result;
    }
    case Op::Kind::erase: {
      const auto rows = partitions_.find(partition);
      if (rows == partitions_.end()) return result;
      rows->second.erase(key);
      if (rows->second.empty()) partitions_.erase(rows);
      return result;
    }
  }
  std::unreachable();
}

}  // namespace tarn::kv
