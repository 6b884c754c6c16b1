#include "kv/postgres/postgres_store.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_future.hpp>

#include "base/error.h"
#include "base/log.h"
#include "io/blocking_pool.h"
#include "io/loops.h"
#include "kv/paged_cursor.h"
#include "kv/postgres/blocking_session.h"
#include "kv/postgres/connection_string.h"
#include "kv/postgres/lane.h"
#include "kv/postgres/schema.h"

namespace tarn::kv {

namespace asio = boost::asio;

namespace {

// Fewer than this and a loop's kinds of work would share a connection: then loops share lanes.
constexpr std::size_t kLaneConnectionsMin = 4;

const void* context_of(const asio::any_io_executor& executor) {
  return &asio::query(executor, asio::execution::context);
}

std::size_t share(std::size_t total, std::size_t parts) {
  return std::max<std::size_t>(1, total / parts);
}

std::string_view field(const PGresult& result, int row, int column) {
  return {PQgetvalue(&result, row, column),
          static_cast<std::size_t>(PQgetlength(&result, row, column))};
}

}  // namespace

struct PostgresStore::Impl {
  explicit Impl(PostgresConfig c) : config(std::move(c)) {}

  void make_lanes(const io::Loops& loops, io::BlockingPool& pool) {
    const std::size_t count =
        std::clamp<std::size_t>(config.connections_max / kLaneConnectionsMin, 1, loops.size());
    for (std::size_t i = 0; i < count; ++i) {
      lanes.push_back(std::make_unique<Lane>(loops.executor(i), config,
                                             share(config.connections_max, count),
                                             share(config.idle_max, count), pool, stop, locks));
    }
  }

  Lane& lane_for(const asio::any_io_executor& caller) {
    const void* context = context_of(caller);
    for (const auto& lane : lanes) {
      if (context_of(lane->executor()) == context) return *lane;
    }
    return *lanes[std::hash<const void*>()(context) / 64 % lanes.size()];
  }

  /// Makes a job of the arguments, lets it through the caller's lane and returns its answer.
  template <class J, class Result, class... Args>
  Task<Result> ask(Context& ctx, Args... args) {
    ctx.check_deadline();
    if (stop) throw Error(ErrorCode::unavailable, "metadata store is closed");
    Lane& lane = lane_for(co_await asio::this_coro::executor);
    co_return co_await io::await_callback<Result>(
        [&lane, deadline = ctx.deadline(),
         tuple = std::make_tuple(std::move(args)...)](io::Callback<Result> done) mutable {
          std::apply(
              [&](auto&&... each) {
                lane.submit(std::make_shared<J>(deadline, std::move(each)..., std::move(done)));
              },
              std::move(tuple));
        });
  }

  Task<> close() {
    for (auto& lane : lanes)
      co_await lane->close();
    closed = true;
  }

  const PostgresConfig config;
  std::atomic<bool> stop = false;  // no new work, no new connections
  std::atomic<bool> closed = false;
  bool locks = false;  // can_lock()
  std::vector<std::unique_ptr<Lane>> lanes;
};

class PostgresCursor final : public PagedCursor {
 public:
  PostgresCursor(PostgresStore::Impl& store, std::string_view partition, ScanOptions options)
      : PagedCursor(std::move(options)), store_(store), partition_(partition) {}

 protected:
  Task<Page> fetch(Context& ctx, PageRequest request) override {
    const std::string end = after_prefix(request.prefix);
    std::vector<std::string> parameters{partition_, request.from, encode_int(request.rows_max),
                                        encode_int(Page::kBytesMax)};
    if (!end.empty()) parameters.push_back(end);
    const SharedResult result = co_await store_.ask<QueryJob, SharedResult>(
        ctx, end.empty() ? Statement::page : Statement::page_below, std::move(parameters));
    Page page;
    std::size_t key_bytes = 0;
    std::size_t bytes = 0;
    const int rows = PQntuples(result.get());
    for (int row = 0; row < rows; ++row) {
      key_bytes += field(*result, row, 0).size();
      bytes += field(*result, row, 1).size();
    }
    page.reserve(static_cast<std::size_t>(rows), key_bytes + bytes);
    for (int row = 0; row < rows; ++row)
      page.add(field(*result, row, 0), field(*result, row, 1));
    // Cut by bytes, it holds that many at least.
    if (rows < static_cast<int>(request.rows_max) && bytes < Page::kBytesMax) page.mark_last();
    co_return page;
  }

 private:
  PostgresStore::Impl& store_;
  std::string partition_;
};

PostgresStore::PostgresStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

PostgresStore::~PostgresStore() {
  if (impl_->closed) return;
  try {
    asio::co_spawn(impl_->lanes.front()->executor(), close(), asio::use_future).get();
  } catch (const std::exception& error) {
    log::error("closing the metadata store failed", {{"error", error.what()}});
  }
}

std::unique_ptr<PostgresStore> PostgresStore::open(PostgresConfig config, const io::Loops& loops,
                                                   io::BlockingPool& pool) {
  config.connections_max = std::max<std::size_t>(1, config.connections_max);
  auto impl = std::make_unique<Impl>(std::move(config));
  BlockingSession session(impl->config, impl->stop);
  session.require_writable();
  open_schema(session, impl->config.create_table);
  if (session.value_of("SHOW synchronous_commit") == "off") {
    log::warn(
        "metadata store: synchronous_commit is off: a crash of PostgreSQL may lose writes "
        "that were acknowledged");
  }
  impl->locks = session.can_lock();
  session.prepare_statements(impl->locks);
  log::info(
      "metadata store: connected to PostgreSQL",
      {{"where", describe_connection(libpq_connection_string(impl->config.connection_string))}});
  impl->make_lanes(loops, pool);
  impl->lanes.front()->adopt(session.release_pipelined());
  return std::unique_ptr<PostgresStore>(new PostgresStore(std::move(impl)));
}

Task<std::optional<std::string>> PostgresStore::get(Context& ctx, std::string_view partition,
                                                    std::string_view key) {
  check_address(partition, key);
  std::vector<Address> addresses;
  addresses.push_back({std::string(partition), std::string(key)});
  auto found = co_await impl_->ask<ReadJob, std::vector<Found>>(ctx, std::move(addresses));
  co_return std::move(found.front());
}

Task<std::vector<std::optional<std::string>>> PostgresStore::get_many(
    Context& ctx, std::vector<Address> addresses) {
  for (const Address& address : addresses)
    check_address(address.partition, address.key);
  if (addresses.empty()) co_return std::vector<Found>{};
  co_return co_await impl_->ask<ReadJob, std::vector<Found>>(ctx, std::move(addresses));
}

Task<std::vector<OpResult>> PostgresStore::run(Context& ctx, std::vector<Op> ops) {
  check_ops(ops);
  if (ops.empty()) co_return std::vector<OpResult>{};
  const bool only_reads =
      std::ranges::all_of(ops, [](const Op& op) { return op.kind == Op::Kind::get; });
  if (!only_reads)
    co_return co_await impl_->ask<RunJob, std::vector<OpResult>>(ctx, std::move(ops));
  std::vector<Address> addresses;
  addresses.reserve(ops.size());
  for (Op& op : ops)
    addresses.push_back(std::move(op.address));
  std::vector<Found> found = co_await get_many(ctx, std::move(addresses));
  std::vector<OpResult> results(found.size());
  for (std::size_t i = 0; i < found.size(); ++i)
    results[i].found = std::move(found[i]);
  co_return results;
}

std::unique_ptr<Cursor> PostgresStore::scan(std::string_view partition, ScanOptions options) {
  return std::make_unique<PostgresCursor>(*impl_, partition,
                                          check_scan(partition, std::move(options)));
}

Task<std::vector<Row>> PostgresStore::read_rows(Context& ctx, std::optional<Address> after,
                                                std::uint32_t rows_max) {
  const auto rows_wanted = std::clamp<std::uint32_t>(rows_max, 1, kPageKeysMax);
  std::vector<std::string> parameters{encode_int(rows_wanted), encode_int(Page::kBytesMax)};
  if (after) {
    parameters.push_back(std::move(after->partition));
    parameters.push_back(std::move(after->key));
  }
  const SharedResult result = co_await impl_->ask<QueryJob, SharedResult>(
      ctx, after ? Statement::rows_after : Statement::rows, std::move(parameters));
  std::vector<Row> rows;
  const int count = PQntuples(result.get());
  rows.reserve(static_cast<std::size_t>(count));
  for (int row = 0; row < count; ++row) {
    rows.push_back({{std::string(field(*result, row, 0)), std::string(field(*result, row, 1))},
                    std::string(field(*result, row, 2))});
  }
  co_return rows;
}

Guard PostgresStore::guard() const {
  return impl_->locks ? Guard::exact : Guard::close;
}

Task<> PostgresStore::close() {
  impl_->stop = true;
  return impl_->close();
}

}  // namespace tarn::kv
