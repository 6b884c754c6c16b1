#include "kv/dynamo/dynamo_store.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <utility>

#include "base/error.h"
#include "base/format.h"
#include "io/await_callback.h"
#include "io/sync.h"
#include "kv/dynamo/dynamo_client.h"
#include "kv/dynamo/dynamo_codec.h"
#include "kv/paged_cursor.h"

namespace tarn::kv {
namespace {

using Found = std::optional<std::string>;

constexpr std::size_t kBatchKeysMax = 100;
// Attribute names count as well: PartitionKey, ItemKey, ItemValue.
constexpr std::size_t kNamesBytes = 12 + 7 + 9;

void check_item(const Op& op) {
  const std::size_t bytes =
      kNamesBytes + op.address.partition.size() + op.address.key.size() + op.value.size();
  if (bytes > kDynamoItemBytesMax) {
    throw Error(ErrorCode::too_large, "metadata record larger than 400 KiB");
  }
}

bool is_write(const Op& op) {
  return op.kind != Op::Kind::get;
}

struct ByAddress {
  bool operator()(const Address& a, const Address& b) const {
    return std::tie(a.partition, a.key) < std::tie(b.partition, b.key);
  }
};

using FoundByAddress = std::map<Address, std::string, ByAddress>;

}  // namespace

struct DynamoStore::Impl {
  Impl(DynamoConfig c, DynamoParts p, const Clock& clock)
      : config(std::move(c)),
        parts(std::move(p)),
        client(config, *parts.client, *parts.credentials, clock) {}

  /// Work under way, so that close() can wait for it.
  class Use {
   public:
    explicit Use(Impl& impl) : impl_(impl) {
      std::lock_guard lock(impl_.mutex);
      if (impl_.closed) throw Error(ErrorCode::unavailable, "metadata store is closed");
      ++impl_.users;
    }

    ~Use() { impl_.leave(); }

    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;

   private:
    Impl& impl_;
  };

  void leave();
  void close_then(io::Callback<char> done);

  Task<> open_table(Context& ctx);
  Task<bool> is_table_active(Context& ctx);
  Task<Found> get(Context& ctx, const Address& address);
  Task<FoundByAddress> get_batch(Context& ctx, std::vector<Address> addresses);
  Task<std::vector<Found>> get_many(Context& ctx, std::vector<Address> addresses);
  Task<bool> put(Context& ctx, Op op);
  Task<dynamo::ItemPage> page(Context& ctx, std::string_view operation, std::string body);

  const DynamoConfig config;
  const DynamoParts parts;
  dynamo::Client client;

  std::mutex mutex;
  // Guarded by mutex:
  bool closed = false;
  std::size_t users = 0;
  std::vector<io::Callback<char>> waiters;
};

void DynamoStore::Impl::leave() {
  std::vector<io::Callback<char>> ready;
  {
    std::lock_guard lock(mutex);
    --users;
    if (closed && users == 0) ready.swap(waiters);
  }
  for (auto& waiter : ready)
    waiter(nullptr, {});
}

void DynamoStore::Impl::close_then(io::Callback<char> done) {
  {
    std::lock_guard lock(mutex);
    closed = true;
    if (users > 0) {
      waiters.push_back(std::move(done));
      return;
    }
  }
  done(nullptr, {});
}

Task<bool> DynamoStore::Impl::is_table_active(Context& ctx) {
  auto described = co_await client.call(ctx, "DescribeTable", dynamo::describe_table(config.table));
  co_return dynamo::table_status(described.answer) == "ACTIVE";
}

namespace {

/// Whether the error is `code`; any other is thrown again.
Task<bool> fails_with(Task<bool> task, ErrorCode code, std::string_view words, bool& value) {
  try {
    value = co_await std::move(task);
    co_return false;
  } catch (const Error& error) {
    if (error.code() != code || error.message().find(words) == std::string::npos) throw;
    co_return true;
  }
}

}  // namespace

Task<> DynamoStore::Impl::open_table(Context& ctx) {
  Context limited = ctx.within(config.table_wait_max);
  bool active = false;
  if (co_await fails_with(is_table_active(limited), ErrorCode::not_found, "", active)) {
    if (!config.create_table) {
      throw Error(ErrorCode::invalid_argument,
                  format("DynamoDB table {} does not exist", config.table));
    }
    const auto create = [](Impl& impl, Context& c) -> Task<bool> {
      co_await impl.client.call(c, "CreateTable", dynamo::create_table(impl.config.table));
      co_return true;
    };
    bool made = false;
    // Another server may have been faster.
    co_await fails_with(create(*this, limited), ErrorCode::internal, "ResourceInUseException",
                        made);
  }
  const Error late(ErrorCode::unavailable,
                   format("DynamoDB table {} does not become active", config.table));
  for (std::uint32_t look = 1; !active; ++look) {
    try {
      co_await fails_with(is_table_active(limited), ErrorCode::not_found, "", active);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::deadline_exceeded || ctx.expired()) throw;
      throw late;  // our own limit, not the caller's
    }
    if (!active) co_await client.pause(limited, look + 3, late);
  }
}

Task<Found> DynamoStore::Impl::get(Context& ctx, const Address& address) {
  auto done = co_await client.call(ctx, "GetItem", dynamo::get_item(config.table, address));
  co_return dynamo::item_value(done.answer);
}

Task<FoundByAddress> DynamoStore::Impl::get_batch(Context& ctx, std::vector<Address> addresses) {
  FoundByAddress found;
  std::vector<Address> left = std::move(addresses);
  for (std::uint32_t round = 1; !left.empty(); ++round) {
    const std::size_t count = std::min(left.size(), kBatchKeysMax);
    const auto end = left.begin() + static_cast<std::ptrdiff_t>(count);
    const std::vector<Address> asked(std::make_move_iterator(left.begin()),
                                     std::make_move_iterator(end));
    left.erase(left.begin(), end);
    auto done = co_await client.call(ctx, "BatchGetItem", dynamo::batch_get(config.table, asked));
    auto batch = dynamo::batch_items(done.answer, config.table);
    const bool progress = batch.unprocessed.size() < asked.size();
    for (Row& row : batch.rows)
      found.insert_or_assign(std::move(row.address), std::move(row.value));
    left.insert(left.end(), std::make_move_iterator(batch.unprocessed.begin()),
                std::make_move_iterator(batch.unprocessed.end()));
    // Some were left for lack of throughput. As long as others come, no attempt is used up.
    if (progress) round = 0;
    if (batch.unprocessed.empty()) continue;
    const Error slow(ErrorCode::throttled, "the metadata table asks to slow down");
    if (round >= config.max_attempts) throw slow;
    co_await client.pause(ctx, std::max(1U, round), slow);
  }
  co_return found;
}

Task<std::vector<Found>> DynamoStore::Impl::get_many(Context& ctx, std::vector<Address> addresses) {
  std::vector<Found> results;
  results.reserve(addresses.size());
  if (addresses.size() == 1) {
    results.push_back(co_await get(ctx, addresses.front()));
    co_return results;
  }
  std::vector<Address> distinct = addresses;
  std::ranges::sort(distinct, ByAddress());
  const auto same = [](const Address& a, const Address& b) {
    return a.partition == b.partition && a.key == b.key;
  };
  distinct.erase(std::ranges::unique(distinct, same).begin(), distinct.end());
  const FoundByAddress found = co_await get_batch(ctx, std::move(distinct));
  for (const Address& address : addresses) {
    const auto row = found.find(address);
    results.push_back(row == found.end() ? Found() : Found(row->second));
  }
  co_return results;
}

Task<bool> DynamoStore::Impl::put(Context& ctx, Op op) {
  if (op.kind == Op::Kind::erase) {
    co_await client.call(ctx, "DeleteItem", dynamo::delete_item(config.table, op.address));
    co_return true;
  }
  const Expect* expect = op.expect ? &*op.expect : nullptr;
  const auto done = co_await client.call(
      ctx, "PutItem", dynamo::put_item(config.table, op.address, op.value, expect));
  if (!done.condition_failed) co_return true;
  if (!done.ambiguous) co_return false;
  // An attempt whose answer was lost may have been the one that changed the record.
  const Found stored = co_await get(ctx, op.address);
  if (stored == op.value) co_return true;
  if (expect != nullptr && expect->kind() == Expect::Kind::present && !stored) co_return false;
  throw Error(ErrorCode::unavailable, "a conditional write's answer was lost");
}

Task<dynamo::ItemPage> DynamoStore::Impl::page(Context& ctx, std::string_view operation,
                                               std::string body) {
  auto done = co_await client.call(ctx, operation, std::move(body));
  co_return dynamo::items(done.answer);
}

/// A page of keys [from, after_prefix(prefix)), in calls that may each find nothing.
class DynamoCursor final : public PagedCursor {
 public:
  DynamoCursor(DynamoStore::Impl& store, std::string_view partition, ScanOptions options)
      : PagedCursor(std::move(options)), store_(store), partition_(partition) {}

 protected:
  Task<Page> fetch(Context& ctx, PageRequest request) override {
    const DynamoStore::Impl::Use use(store_);
    ctx.check_deadline();
    Page page;
    const std::string end = after_prefix(request.prefix);
    // No key is longer than that; what would follow a longest key is the next one as long.
    if (request.from.size() > kAddressBytesMax) {
      request.from = after_prefix(request.from.substr(0, kAddressBytesMax));
      if (request.from.empty()) request.from = end;
    }
    const bool none = request.prefix.size() > kAddressBytesMax ||
                      (!end.empty() && request.from >= end) ||
                      (request.from.empty() && !request.prefix.empty());
    const std::uint32_t limit = std::min(request.rows_max, store_.config.scan_limit);
    std::optional<Address> after;
    while (!none) {
      auto found = co_await store_.page(
          ctx, "Query",
          dynamo::query(store_.config.table, partition_, {request.from, end}, limit, after));
      for (const Row& row : found.rows) {
        // The upper end of a query is inclusive, and the prefix ends before it.
        if (!end.empty() && row.address.key >= end) continue;
        page.add(row.address.key, row.value);
      }
      after = std::move(found.next);
      if (!after) break;
      if (page.rows() > 0) co_return page;
    }
    page.mark_last();
    co_return page;
  }

 private:
  DynamoStore::Impl& store_;
  std::string partition_;
};

Task<std::unique_ptr<DynamoStore>> DynamoStore::open(Context& ctx, DynamoConfig config,
                                                     DynamoParts parts, const Clock& clock) {
  if (!dynamo::is_table_name(config.table)) {
    throw Error(ErrorCode::invalid_argument, format("'{}' cannot be a table's name", config.table));
  }
  config.scan_limit = std::clamp<std::uint32_t>(config.scan_limit, 1, kPageKeysMax);
  config.max_attempts = std::max(1U, config.max_attempts);
  auto impl = std::make_unique<Impl>(std::move(config), std::move(parts), clock);
  co_await impl->open_table(ctx);
  co_return std::unique_ptr<DynamoStore>(new DynamoStore(std::move(impl)));
}

DynamoStore::DynamoStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

DynamoStore::~DynamoStore() = default;

Task<Found> DynamoStore::get(Context& ctx, std::string_view partition, std::string_view key) {
  check_address(partition, key);
  const Impl::Use use(*impl_);
  ctx.check_deadline();
  co_return co_await impl_->get(ctx, {std::string(partition), std::string(key)});
}

Task<std::vector<Found>> DynamoStore::get_many(Context& ctx, std::vector<Address> addresses) {
  for (const Address& address : addresses)
    check_address(address.partition, address.key);
  const Impl::Use use(*impl_);
  ctx.check_deadline();
  co_return co_await impl_->get_many(ctx, std::move(addresses));
}

Task<std::vector<OpResult>> DynamoStore::run(Context& ctx, std::vector<Op> ops) {
  check_ops(ops);
  refuse_guarded(ops);
  std::ranges::for_each(ops, check_item);
  const Impl::Use use(*impl_);
  ctx.check_deadline();
  std::vector<OpResult> results(ops.size());
  for (std::size_t i = 0; i < ops.size();) {
    if (is_write(ops[i])) {
      results[i].stored = co_await impl_->put(ctx, std::move(ops[i]));
      ++i;
      continue;
    }
    const auto first = ops.begin() + static_cast<std::ptrdiff_t>(i);
    const auto end = std::find_if(first, ops.end(), is_write);
    std::vector<Address> addresses;
    for (auto op = first; op != end; ++op)
      addresses.push_back(std::move(op->address));
    for (Found& found : co_await impl_->get_many(ctx, std::move(addresses)))
      results[i++].found = std::move(found);
  }
  co_return results;
}

std::unique_ptr<Cursor> DynamoStore::scan(std::string_view partition, ScanOptions options) {
  return std::make_unique<DynamoCursor>(*impl_, partition,
                                        check_scan(partition, std::move(options)));
}

Task<std::vector<Row>> DynamoStore::read_rows(Context& ctx, std::optional<Address> after,
                                              std::uint32_t rows_max) {
  const Impl::Use use(*impl_);
  ctx.check_deadline();
  const std::uint32_t limit = std::clamp<std::uint32_t>(rows_max, 1, impl_->config.scan_limit);
  do {
    auto found = co_await impl_->page(ctx, "Scan", dynamo::scan(impl_->config.table, limit, after));
    if (!found.rows.empty()) co_return std::move(found.rows);
    after = std::move(found.next);
  } while (after);
  co_return std::vector<Row>();
}

Task<> DynamoStore::close() {
  co_await io::await_callback<char>(
      [impl = impl_.get()](io::Callback<char> done) { impl->close_then(std::move(done)); });
  co_await impl_->parts.client->close();
}

}  // namespace tarn::kv
