#include "kv/rocks/rocks_store.h"

#include <algorithm>
#include <mutex>
#include <numeric>
#include <thread>
#include <utility>

#include <rocksdb/db.h>
#include <rocksdb/slice.h>
#include <rocksdb/utilities/checkpoint.h>

#include "base/error.h"
#include "base/log.h"
#include "io/await_callback.h"
#include "io/blocking_pool.h"
#include "io/durable.h"
#include "kv/paged_cursor.h"
#include "kv/rocks/group_writer.h"
#include "kv/rocks/rocks_options.h"
#include "kv/rocks/rocks_status.h"
#include "kv/rocks/rocks_watch.h"
#include "kv/rocks/row_key.h"
#include "kv/rocks/use_gate.h"

namespace tarn::kv {
namespace {

using Found = std::optional<std::string>;

/// How far a read may go: the loop's thread must not wait for the disk.
enum class Reach : std::uint8_t { cache, disk };

/// Tombstones an inline page may step over before it is handed to the pool.
constexpr std::uint64_t kInlineSkipsMax = 2'000;

rocksdb::ReadOptions read_options(Reach reach) {
  rocksdb::ReadOptions options;
  options.read_tier = reach == Reach::cache ? rocksdb::kBlockCacheTier : rocksdb::kReadAllTier;
  return options;
}

rocksdb::Slice slice(std::string_view text) {
  return {text.data(), text.size()};
}

std::string_view view(const rocksdb::Slice& text) {
  return {text.data(), text.size()};
}

}  // namespace

struct RocksStore::Impl {
  Impl(RocksConfig c, io::BlockingPool& p, std::unique_ptr<rocksdb::DB> opened,
       std::shared_ptr<RocksWatch> watch, bool log_works)
      : config(std::move(c)),
        pool(p),
        db(std::move(opened)),
        writer(*db, std::move(watch), config, log_works) {}

  ~Impl() {
    if (closer.joinable()) closer.join();
    close_blocking();
  }

  UseGate::Use use();

  // A nullopt says "not in the cache"; with Reach::disk there is always an answer.
  std::optional<Found> get(const std::string& row, Reach reach);
  std::optional<Page> page(std::string_view partition, const PageRequest& request, Reach reach);
  std::vector<Row> rows_after(const std::optional<Address>& after, std::uint32_t rows_max);
  void checkpoint(const std::string& directory);
  /// Fills found[i] for each i of `wanted`; returns those that were not in the cache.
  std::vector<std::size_t> get_rows(const std::vector<std::string>& rows,
                                    const std::vector<std::size_t>& wanted, Reach reach,
                                    std::vector<Found>& found);

  void close_blocking();
  void close_then(io::Callback<char> done);

  const RocksConfig config;
  io::BlockingPool& pool;
  std::unique_ptr<rocksdb::DB> db;
  UseGate reads;
  GroupWriter writer;

  std::once_flag closed;
  std::mutex mutex;
  // Guarded by mutex; close() must not block a loop, so one thread lives for it.
  std::vector<io::Callback<char>> close_waiters;
  bool close_ended = false;
  std::thread closer;
};

UseGate::Use RocksStore::Impl::use() {
  auto entered = reads.enter();
  if (!entered) throw Error(ErrorCode::unavailable, "metadata store is closed");
  return *std::move(entered);
}

std::optional<Found> RocksStore::Impl::get(const std::string& row, Reach reach) {
  rocksdb::PinnableSlice value;
  const rocksdb::Status status =
      db->Get(read_options(reach), db->DefaultColumnFamily(), row, &value);
  if (status.ok() && reach == Reach::cache && value.empty()) return std::nullopt;  // see get_rows()
  if (status.ok()) return Found(std::in_place, value.data(), value.size());
  if (status.IsNotFound()) return Found();
  if (status.IsIncomplete() && reach == Reach::cache) return std::nullopt;
  throw to_error(status);
}

std::vector<std::size_t> RocksStore::Impl::get_rows(const std::vector<std::string>& rows,
                                                    const std::vector<std::size_t>& wanted,
                                                    Reach reach, std::vector<Found>& found) {
  std::vector<rocksdb::Slice> keys;
  keys.reserve(wanted.size());
  for (const std::size_t index : wanted)
    keys.push_back(slice(rows[index]));
  std::vector<rocksdb::PinnableSlice> values(wanted.size());
  std::vector<rocksdb::Status> statuses(wanted.size());
  db->MultiGet(read_options(reach), db->DefaultColumnFamily(), keys.size(), keys.data(),
               values.data(), statuses.data());

  std::vector<std::size_t> missed;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    // Kept from the disk, RocksDB calls some keys found and empty that it only could not rule out.
    const bool doubtful = reach == Reach::cache && statuses[i].ok() && values[i].empty();
    if (doubtful) {
      missed.push_back(wanted[i]);
    } else if (statuses[i].ok()) {
      found[wanted[i]].emplace(values[i].data(), values[i].size());
    } else if (statuses[i].IsIncomplete() && reach == Reach::cache) {
      missed.push_back(wanted[i]);
    } else if (!statuses[i].IsNotFound()) {
      throw to_error(statuses[i]);
    }
  }
  return missed;
}

std::optional<Page> RocksStore::Impl::page(std::string_view partition, const PageRequest& request,
                                           Reach reach) {
  const std::string from = row_key(partition, request.from);
  const std::string end = after_prefix(row_key(partition, request.prefix));
  const rocksdb::Slice upper = slice(end);
  rocksdb::ReadOptions options = read_options(reach);
  options.iterate_upper_bound = &upper;
  if (reach == Reach::cache) options.max_skippable_internal_keys = kInlineSkipsMax;

  Page page;
  const std::unique_ptr<rocksdb::Iterator> row(db->NewIterator(options));
  for (row->Seek(slice(from)); row->Valid(); row->Next()) {
    if (page.full(request.rows_max)) return page;
    page.add(key_of_row(view(row->key()), partition), view(row->value()));
  }
  if (row->status().IsIncomplete() && reach == Reach::cache) return std::nullopt;
  if (!row->status().ok()) throw to_error(row->status());
  page.mark_last();
  return page;
}

std::vector<Row> RocksStore::Impl::rows_after(const std::optional<Address>& after,
                                              std::uint32_t rows_max) {
  // The smallest row above it is itself and one zero byte.
  const std::string from = after ? row_key(after->partition, after->key) + '\0' : std::string();
  const rocksdb::Slice upper = slice(kRowsEnd);
  rocksdb::ReadOptions options = read_options(Reach::disk);
  options.iterate_upper_bound = &upper;
  options.fill_cache = false;  // read once, by a tool
  options.readahead_size = 1'024 * 1'024;

  std::vector<Row> rows;
  std::size_t bytes = 0;
  const std::unique_ptr<rocksdb::Iterator> row(db->NewIterator(options));
  for (row->Seek(slice(from)); row->Valid(); row->Next()) {
    if (rows.size() == rows_max || bytes >= Page::kBytesMax) return rows;
    auto address = split_row(view(row->key()));
    if (!address) throw Error(ErrorCode::corrupt, "the metadata store holds a row without key");
    rows.push_back({*std::move(address), std::string(view(row->value()))});
    bytes += rows.back().address.key.size() + rows.back().value.size();
  }
  if (!row->status().ok()) throw to_error(row->status());
  return rows;
}

void RocksStore::Impl::checkpoint(const std::string& directory) {
  rocksdb::Checkpoint* made = nullptr;
  rocksdb::Status status = rocksdb::Checkpoint::Create(db.get(), &made);
  const std::unique_ptr<rocksdb::Checkpoint> owned(made);
  if (status.ok()) status = made->CreateCheckpoint(directory);
  if (status.IsInvalidArgument()) {
    throw Error(ErrorCode::already_exists, "the directory for the copy exists already");
  }
  if (!status.ok()) throw to_error(status);
}

void RocksStore::Impl::close_blocking() {
  std::call_once(closed, [this] {
    writer.stop();
    reads.close();
    // The log has everything; flushing only spares the next start its replay.
    rocksdb::Status status = db->Flush(rocksdb::FlushOptions());
    if (!status.ok()) {
      log::warn("metadata store not flushed at close", {{"status", status.ToString()}});
    }
    status = db->Close();
    if (!status.ok()) {
      log::warn("metadata store not closed cleanly", {{"status", status.ToString()}});
    }
    db.reset();
  });
}

void RocksStore::Impl::close_then(io::Callback<char> done) {
  std::unique_lock lock(mutex);
  if (!close_ended) {
    close_waiters.push_back(std::move(done));
    if (closer.joinable()) return;
    closer = std::thread([this]() noexcept {
      close_blocking();
      std::vector<io::Callback<char>> waiters;
      {
        std::lock_guard inner(mutex);
        close_ended = true;
        waiters.swap(close_waiters);
      }
      for (auto& waiter : waiters)
        waiter(nullptr, {});
    });
    return;
  }
  lock.unlock();
  done(nullptr, {});
}

namespace {

std::unique_ptr<rocksdb::DB> open_database(const RocksConfig& config,
                                           std::shared_ptr<RocksWatch> watch) {
  io::make_directory_durable(config.directory);
  rocksdb::DB* opened = nullptr;
  const rocksdb::Status status =
      rocksdb::DB::Open(rocks_options(config, std::move(watch)), config.directory, &opened);
  if (status.ok()) return std::unique_ptr<rocksdb::DB>(opened);
  const std::string text = status.ToString();
  // RocksDB has no code of its own for this one.
  if (status.IsIOError() && (text.find("While lock file") != text.npos ||
                             text.find("lock hold by current process") != text.npos)) {
    throw Error(ErrorCode::unavailable, "the metadata directory is in use by another process");
  }
  throw to_error(status);
}

/// A new database gets our mark; one that holds rows and no mark was not written by us. Whether it
/// has been written to.
bool check_format(rocksdb::DB& db) {
  std::string format;
  rocksdb::Status status = db.Get(rocksdb::ReadOptions(), slice(kFormatRow), &format);
  if (status.ok()) {
    if (format == kFormat) return false;
    throw Error(ErrorCode::invalid_argument,
                "the metadata directory was written by another version (format " + format + ")");
  }
  if (!status.IsNotFound()) throw to_error(status);
  const std::unique_ptr<rocksdb::Iterator> row(db.NewIterator(rocksdb::ReadOptions()));
  row->SeekToFirst();
  if (row->Valid()) {
    throw Error(ErrorCode::invalid_argument, "the metadata directory holds a foreign database");
  }
  rocksdb::WriteOptions synced;
  synced.sync = true;
  status = db.Put(synced, slice(kFormatRow), slice(kFormat));
  if (!status.ok()) throw to_error(status);
  return true;
}

}  // namespace

class RocksCursor final : public PagedCursor {
 public:
  RocksCursor(RocksStore::Impl& store, std::string_view partition, ScanOptions options)
      : PagedCursor(std::move(options)), store_(store), partition_(partition) {}

 protected:
  Task<Page> fetch(Context& ctx, PageRequest request) override {
    auto use = store_.use();
    if (request.rows_max <= store_.config.inline_rows_max) {
      if (auto page = store_.page(partition_, request, Reach::cache)) co_return *std::move(page);
    }
    co_return co_await store_.pool.run(ctx, [&store = store_, use = std::move(use),
                                             partition = partition_, request = std::move(request)] {
      return *store.page(partition, request, Reach::disk);
    });
  }

 private:
  RocksStore::Impl& store_;
  std::string partition_;
};

std::unique_ptr<RocksStore> RocksStore::open(RocksConfig config, io::BlockingPool& pool) {
  const auto watch = std::make_shared<RocksWatch>();  // the database's and the writer's
  auto db = open_database(config, watch);
  const bool written = check_format(*db);
  return std::unique_ptr<RocksStore>(new RocksStore(
      std::make_unique<Impl>(std::move(config), pool, std::move(db), watch, written)));
}

RocksStore::RocksStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

RocksStore::~RocksStore() = default;

Task<Found> RocksStore::get(Context& ctx, std::string_view partition, std::string_view key) {
  check_address(partition, key);
  auto use = impl_->use();
  std::string row = row_key(partition, key);
  if (auto cached = impl_->get(row, Reach::cache)) co_return *std::move(cached);
  co_return co_await impl_->pool.run(
      ctx, [impl = impl_.get(), use = std::move(use), row = std::move(row)] {
        return *impl->get(row, Reach::disk);
      });
}

Task<std::vector<Found>> RocksStore::get_many(Context& ctx, std::vector<Address> addresses) {
  std::vector<std::string> rows;
  rows.reserve(addresses.size());
  for (const Address& address : addresses) {
    check_address(address.partition, address.key);
    rows.push_back(row_key(address.partition, address.key));
  }
  auto use = impl_->use();
  std::vector<Found> found(rows.size());
  std::vector<std::size_t> wanted(rows.size());
  std::iota(wanted.begin(), wanted.end(), 0);
  if (rows.size() <= impl_->config.inline_rows_max) {
    wanted = impl_->get_rows(rows, wanted, Reach::cache, found);
  }
  if (wanted.empty()) co_return found;
  co_return co_await impl_->pool.run(
      ctx, [impl = impl_.get(), use = std::move(use), rows = std::move(rows),
            wanted = std::move(wanted), found = std::move(found)]() mutable {
        impl->get_rows(rows, wanted, Reach::disk, found);
        return std::move(found);
      });
}

Task<std::vector<OpResult>> RocksStore::run(Context& ctx, std::vector<Op> ops) {
  ctx.check_deadline();
  check_ops(ops);
  const bool only_reads =
      std::ranges::all_of(ops, [](const Op& op) { return op.kind == Op::Kind::get; });
  if (only_reads && !ops.empty()) co_return co_await read_only(ctx, std::move(ops));
  co_return co_await io::await_callback<std::vector<OpResult>>(
      [impl = impl_.get(), deadline = ctx.deadline(),
       steps = std::move(ops)](GroupWriter::Done done) mutable {
        impl->writer.submit(std::move(steps), deadline, std::move(done));
      });
}

Task<std::vector<OpResult>> RocksStore::read_only(Context& ctx, std::vector<Op> ops) {
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

std::unique_ptr<Cursor> RocksStore::scan(std::string_view partition, ScanOptions options) {
  return std::make_unique<RocksCursor>(*impl_, partition,
                                       check_scan(partition, std::move(options)));
}

Task<std::vector<Row>> RocksStore::read_rows(Context& ctx, std::optional<Address> after,
                                             std::uint32_t rows_max) {
  return impl_->pool.run(ctx, [impl = impl_.get(), use = impl_->use(), after = std::move(after),
                               rows = std::clamp<std::uint32_t>(rows_max, 1, kPageKeysMax)] {
    return impl->rows_after(after, rows);
  });
}

Task<> RocksStore::checkpoint(Context& ctx, std::string directory) {
  return impl_->pool.run(ctx, [impl = impl_.get(), use = impl_->use(),
                               directory = std::move(directory)] { impl->checkpoint(directory); });
}

Task<> RocksStore::close() {
  co_await io::await_callback<char>(
      [impl = impl_.get()](io::Callback<char> done) { impl->close_then(std::move(done)); });
}

}  // namespace tarn::kv
