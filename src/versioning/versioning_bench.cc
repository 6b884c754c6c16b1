// What requests over committed trees and staged records cost, all in memory: look-ups, commits of
// one change, differences, and reading staged records over a tree.
#include <optional>

#include <benchmark/benchmark.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "base/format.h"
#include "base/hash.h"
#include "block/mem/mem_object_store.h"
#include "io/blocking_pool.h"
#include "versioning/committed/committed.h"
#include "versioning/staging/combined_stream.h"

namespace tarn::versioning {
namespace {

constexpr std::string_view kSpace = "mem://bench";
constexpr int kRecords = 60'000;

std::string key_of(int index) {
  return format("dir{:03}/object-{:08}", index / 1'000, index);
}

/// Records ready in memory.
class ReadyStream final : public RecordStream {
 public:
  struct Record {
    std::string key, identity, data;
  };

  explicit ReadyStream(const std::vector<Record>& records) : records_(records) {}

  bool next() override {
    if (at_ >= records_.size()) return false;
    const Record& record = records_[at_++];
    record_ = {.key = record.key, .identity = record.identity, .data = record.data};
    return true;
  }

  Task<bool> fill(Context&) override { co_return next(); }

  void seek(std::string_view) override {}

  const RecordView& record() const override { return record_; }

 private:
  const std::vector<Record>& records_;
  std::size_t at_ = 0;
  RecordView record_;
};

/// Every `step`-th key from `from` on.
std::vector<ReadyStream::Record> records_of(int from, int step, int generation) {
  std::vector<ReadyStream::Record> records;
  for (int i = from; i < kRecords; i += step) {
    records.push_back(
        {.key = key_of(i),
         .identity = sha256(format("{} {}", i, generation)),
         .data = format("data/gqv3epl4fd2o8m3men70/{:020}-{}-{:032}", i, generation, i * 7919LL)});
  }
  return records;
}

/// Runs a task to its end on a loop of its own.
template <class T>
T wait_for(boost::asio::io_context& loop, Task<T> task) {
  std::optional<T> result;
  boost::asio::co_spawn(loop, std::move(task), [&](const std::exception_ptr& error, T value) {
    if (error) std::rethrow_exception(error);
    result = std::move(value);
  });
  loop.restart();
  loop.run();
  return *std::move(result);
}

struct Bench {
  MetaRangeId apply(const MetaRangeId& base, const std::vector<ReadyStream::Record>& records) {
    ReadyStream changes(records);
    return wait_for(loop, committed.apply(ctx, kSpace, base, changes)).id;
  }

  boost::asio::io_context loop{1};
  Context ctx;
  block::MemObjectStore objects;
  io::BlockingPool pool{{.name = "bench", .threads = 1}};
  Committed committed{objects, pool, {}};
};

Task<int> look_up_many(Context& ctx, Committed& committed, const MetaRangeId& tree,
                       const std::vector<std::string>& keys) {
  int found = 0;
  for (const std::string& key : keys)
    found += (co_await committed.get(ctx, kSpace, tree, key)).has_value() ? 1 : 0;
  co_return found;
}

void look_up_1000_committed(benchmark::State& state) {
  Bench bench;
  const MetaRangeId tree = bench.apply({}, records_of(0, 1, 0));
  std::vector<std::string> keys;
  for (int i = 0; i < 1'000; ++i)
    keys.push_back(key_of(i * 7'919 % kRecords));
  for (auto unused : state) {
    const int found = wait_for(bench.loop, look_up_many(bench.ctx, bench.committed, tree, keys));
    if (found != 1'000) state.SkipWithError("lost records");
  }
}

BENCHMARK(look_up_1000_committed);

void commit_one_change(benchmark::State& state) {
  Bench bench;
  MetaRangeId tree = bench.apply({}, records_of(0, 1, 0));
  int generation = 0;
  for (auto unused : state)
    tree = bench.apply(tree, records_of(kRecords / 2, kRecords, ++generation));
}

BENCHMARK(commit_one_change);

Task<int> count(Context& ctx, std::unique_ptr<DiffStream> stream) {
  int n = 0;
  while (stream->next() || co_await stream->fill(ctx))
    ++n;
  co_return n;
}

void diff_of_60_changes(benchmark::State& state) {
  Bench bench;
  const MetaRangeId left = bench.apply({}, records_of(0, 1, 0));
  const MetaRangeId right = bench.apply(left, records_of(500, 1'000, 1));
  for (auto unused : state) {
    auto stream = bench.committed.diff(std::string(kSpace), left, right);
    const int seen = wait_for(bench.loop, count(bench.ctx, std::move(stream)));
    if (seen != kRecords / 1'000) state.SkipWithError("another number of differences");
  }
}

BENCHMARK(diff_of_60_changes);

void merge_60_changes_on_each_side(benchmark::State& state) {
  Bench bench;
  const MetaRangeId base = bench.apply({}, records_of(0, 1, 0));
  const MetaRangeId left = bench.apply(base, records_of(250, 1'000, 1));
  const MetaRangeId right = bench.apply(base, records_of(750, 1'000, 2));
  for (auto unused : state) {
    const TreeMergeResult merged =
        wait_for(bench.loop,
                 bench.committed.merge(bench.ctx, kSpace, left, right, base, MergeStrategy::none));
    if (merged.summary.changed != kRecords / 1'000) state.SkipWithError("another merge");
  }
}

BENCHMARK(merge_60_changes_on_each_side);

Task<int> read_all(Context& ctx, std::unique_ptr<RecordStream> stream) {
  int n = 0;
  while (stream->next() || co_await stream->fill(ctx))
    ++n;
  co_return n;
}

/// Two staging tokens over a tree, as a listing reads them.
void read_staged_over_committed(benchmark::State& state) {
  Bench bench;
  const auto newest = records_of(0, 7, 2);
  const auto sealed = records_of(0, 3, 1);
  const auto tree = records_of(0, 1, 0);
  for (auto unused : state) {
    std::vector<std::unique_ptr<RecordStream>> streams;
    for (const auto* records : {&newest, &sealed, &tree})
      streams.push_back(std::make_unique<ReadyStream>(*records));
    auto combined = combine(std::move(streams), Tombstones::drop);
    const int seen = wait_for(bench.loop, read_all(bench.ctx, std::move(combined)));
    if (seen != kRecords) state.SkipWithError("lost records");
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * kRecords));
}

BENCHMARK(read_staged_over_committed);

}  // namespace
}  // namespace tarn::versioning
