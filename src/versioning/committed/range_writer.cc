#include "versioning/committed/range_writer.h"

#include <algorithm>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/this_coro.hpp>

#include "base/error.h"
#include "io/sync.h"
#include "sst/range_splitter.h"
#include "sst/table_writer.h"
#include "sst/value.h"
#include "versioning/committed/range_file.h"

namespace tarn::versioning {

namespace {

/// Shared by a writer and its uploads, which may outlive it.
struct Uploads {
  explicit Uploads(std::size_t max) : free(max) {}

  void fail(std::exception_ptr reason) {
    const std::scoped_lock lock(mutex);
    if (!error) error = std::move(reason);
  }

  void rethrow() {
    const std::scoped_lock lock(mutex);
    if (error) std::rethrow_exception(error);
  }

  io::Semaphore free;
  std::mutex mutex;
  std::exception_ptr error;  // the first
};

struct FinishedRange {
  std::string id;
  std::shared_ptr<const std::string> bytes;
  sst::TableHistory history;
};

Task<> upload(Context& ctx, block::ObjectStore& objects, RangeStore& store,
              const std::string& storage_namespace, FinishedRange& range) {
  io::StringSource source(range.bytes);
  co_await objects.put(ctx, store.object_of(storage_namespace, range.id), source);
  co_await store.adopt_file(ctx, storage_namespace, range.id, range.bytes,
                            std::move(range.history));
}

Task<> run_upload(Context ctx, block::ObjectStore* objects, RangeStore* store,
                  std::shared_ptr<Uploads> uploads, io::Semaphore::Permit permit,
                  std::string storage_namespace, FinishedRange range) {
  const io::Semaphore::Permit held = std::move(permit);  // destroyed before `uploads`
  try {
    co_await upload(ctx, *objects, *store, storage_namespace, range);
  } catch (...) {
    uploads->fail(std::current_exception());
  }
}

sst::Properties properties_of(std::string_view type,
                              const std::map<std::string, std::string>& dump) {
  sst::Properties all(dump.begin(), dump.end());
  all.insert_or_assign(std::string(sst::property::kType), std::string(type));
  return all;
}

}  // namespace

void OrphanedUploads::adopt(std::unique_ptr<io::TaskGroup> group) {
  const std::scoped_lock lock(mutex_);
  std::erase_if(groups_, [](const auto& older) { return older->size() == 0; });
  if (group->size() > 0) groups_.push_back(std::move(group));
}

Task<> OrphanedUploads::close() {
  std::vector<std::unique_ptr<io::TaskGroup>> groups;
  {
    const std::scoped_lock lock(mutex_);
    groups.swap(groups_);
  }
  for (const auto& group : groups) {
    group->cancel();
    co_await group->join();
  }
}

struct RangeWriter::State {
  State(WriterEnvironment environment, std::string storage_namespace_in,
        std::map<std::string, std::string> dump)
      : env(environment),
        storage_namespace(std::move(storage_namespace_in)),
        dump_properties(std::move(dump)),
        split{.range_bytes_min = env.config.range_bytes_min,
              .range_bytes_max = env.config.range_bytes_max,
              .raggedness_entries = env.config.range_raggedness_entries},
        uploads(
            std::make_shared<Uploads>(std::max<std::size_t>(1, env.config.uploads_per_writer))) {}

  ~State() { env.orphans.adopt(std::move(group)); }

  void finish_range() {
    if (!open) return;
    sst::TableResult result = open->finish();
    open.reset();
    tree.ranges.push_back({.id = result.id,
                           .min_key = std::move(result.min_key),
                           .max_key = std::move(result.max_key),
                           .estimated_size = result.estimated_size,
                           .count = result.count});
    finished.push_back({.id = std::move(result.id),
                        .bytes = std::make_shared<const std::string>(std::move(result.bytes)),
                        .history = std::move(result.history)});
  }

  void begin_range(std::string_view min_key) {
    if (!tree.ranges.empty() && min_key <= tree.ranges.back().max_key) {
      throw Error(ErrorCode::invalid_argument, "unsorted keys");
    }
    open = std::make_unique<sst::TableWriter>(
        sst::TableOptions{.properties = properties_of(sst::kTypeRanges, dump_properties)});
  }

  const WriterEnvironment env;
  const std::string storage_namespace;
  const std::map<std::string, std::string> dump_properties;
  const sst::SplitParams split;
  const std::shared_ptr<Uploads> uploads;
  std::unique_ptr<io::TaskGroup> group = std::make_unique<io::TaskGroup>();

  std::unique_ptr<sst::TableWriter> open;
  std::string value;  // scratch
  Tree tree;          // what the metarange will hold
  std::deque<FinishedRange> finished;
  std::vector<MetaRangeId> existing;
};

RangeWriter::RangeWriter(WriterEnvironment environment, std::string storage_namespace,
                         std::map<std::string, std::string> dump_properties)
    : state_(new State(environment, std::move(storage_namespace), std::move(dump_properties))) {}

RangeWriter::~RangeWriter() = default;

void RangeWriter::append(const RecordView& record) {
  State& s = *state_;
  if (!s.open) s.begin_range(record.key);
  s.value.clear();
  sst::append_value(s.value, record.identity, record.data);
  s.open->add(record.key, s.value);
  if (sst::breaks_after(s.split, record.key, s.open->estimated_size())) s.finish_range();
}

bool RangeWriter::takes_blocks_of(const RangeFile& file, const RecordView& record) {
  State& s = *state_;
  if (!file.cut_here || !file.index.reusable_blocks() || s.split.range_bytes_min > 0) return false;
  if (!s.open) return true;
  s.value.clear();
  sst::append_value(s.value, record.identity, record.data);
  return s.open->begins_block(record.key, s.value.size());
}

bool RangeWriter::append_block(std::string_view payload, std::string_view stored,
                               std::uint64_t name) {
  State& s = *state_;
  if (!s.open) {
    sst::BlockIterator records(payload, sst::KeyForm::record);
    if (!records.next()) return true;
    s.begin_range(records.key());
  }
  if (s.open->estimated_size() + 2 * payload.size() >= s.split.range_bytes_max) return false;
  s.open->add_stored_block(payload, stored, name);
  return true;
}

void RangeWriter::begin_range(const RangeFile& file, std::size_t checkpoint, std::string stored) {
  State& s = *state_;
  s.begin_range(file.index.property(sst::property::kMinKey));
  s.open->resume(file.index, file.history, checkpoint, std::move(stored));
}

bool RangeWriter::in_range() const {
  return state_->open != nullptr;
}

void RangeWriter::append_range(const RangeInfo& range) {
  State& s = *state_;
  s.finish_range();
  if (!s.tree.ranges.empty() && range.min_key <= s.tree.ranges.back().max_key) {
    throw Error(ErrorCode::invalid_argument, "unsorted keys");
  }
  s.tree.ranges.push_back(range);
}

void RangeWriter::note_existing(const MetaRangeId& tree) {
  state_->existing.push_back(tree);
}

bool RangeWriter::backlogged() const {
  return !state_->finished.empty();
}

Task<> RangeWriter::start_uploads(Context& ctx) {
  State& s = *state_;
  const boost::asio::any_io_executor executor = co_await boost::asio::this_coro::executor;
  while (!s.finished.empty()) {
    io::Semaphore::Permit permit = co_await s.uploads->free.acquire(ctx);
    s.uploads->rethrow();
    FinishedRange range = std::move(s.finished.front());
    s.finished.pop_front();
    // The upload may outlive the caller and its context.
    const bool started =
        s.group->spawn(executor, "range upload",
                       run_upload(Context(ctx.deadline(), std::string(ctx.request_id())),
                                  &s.env.objects, &s.env.store, s.uploads, std::move(permit),
                                  s.storage_namespace, std::move(range)));
    if (!started) throw Error(ErrorCode::unavailable, "closing");
  }
}

Task<> RangeWriter::settle() {
  state_->finished.clear();
  return state_->group->join();
}

Task<> RangeWriter::write(Context& ctx, std::string_view key, std::string_view identity,
                          std::string_view data) {
  append({.key = key, .identity = identity, .data = data});
  if (backlogged()) co_await start_uploads(ctx);
}

Task<> RangeWriter::write_range(Context& ctx, const RangeInfo& range) {
  append_range(range);
  if (backlogged()) co_await start_uploads(ctx);
}

Task<WrittenTree> RangeWriter::close(Context& ctx) {
  State& s = *state_;
  s.finish_range();
  co_await start_uploads(ctx);
  co_await settle();
  s.uploads->rethrow();

  sst::TableWriter table({.properties = properties_of(sst::kTypeMetaranges, s.dump_properties)});
  for (const RangeInfo& range : s.tree.ranges) {
    const sst::RangeData data{.min_key = range.min_key,
                              .max_key = range.max_key,
                              .estimated_size = range.estimated_size,
                              .count = range.count};
    table.add(range.max_key, sst::encode_value(range.id, sst::encode_range_data(data)));
  }
  sst::TableResult result = table.finish();
  if (std::ranges::find(s.existing, result.id) != s.existing.end()) {
    co_return WrittenTree{.id = std::move(result.id), .ranges = std::move(s.tree.ranges)};
  }
  io::StringSource source(std::move(result.bytes));
  co_await s.env.objects.put(ctx, s.env.store.object_of(s.storage_namespace, result.id), source);
  s.env.store.adopt_tree(s.storage_namespace, result.id, std::make_shared<const Tree>(s.tree));
  co_return WrittenTree{.id = std::move(result.id), .ranges = std::move(s.tree.ranges)};
}

}  // namespace tarn::versioning
