// One thread; records of about 212 bytes (key 62, value 150 of which most is hex), as a commit
// writes them.
#include <random>

#include <benchmark/benchmark.h>

#include "base/format.h"
#include "sst/range_splitter.h"
#include "sst/table_testing.h"

namespace tarn::sst {
namespace {

testing::Records bench_records(std::size_t count) {
  std::mt19937_64 random(1);
  testing::Records records;
  for (std::size_t i = 0; i < count; ++i) {
    std::string value = "\x40";
    while (value.size() < 33)
      value.push_back(static_cast<char>(random()));
    value += "data/gqv3epl4fd2o8m3men70/";
    while (value.size() < 150)
      value.push_back("0123456789abcdef"[random() % 16]);
    records.emplace_back(
        format("datasets/images/train/2026-11-21/part-{:05d}/image-{:08d}.jpeg", i / 1'000, i),
        std::move(value));
  }
  return records;
}

void per_record(benchmark::State& state, std::size_t records) {
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * records));
}

void write_records(benchmark::State& state) {
  const auto records = bench_records(50'000);
  for (auto unused : state)
    benchmark::DoNotOptimize(testing::write_table(records));
  per_record(state, records.size());
}

BENCHMARK(write_records);

void write_records_to_a_sink(benchmark::State& state) {
  const auto records = bench_records(50'000);
  for (auto unused : state) {
    TableOptions options = ranges_table();
    options.sink = [](std::string&& piece) { benchmark::DoNotOptimize(piece.data()); };
    benchmark::DoNotOptimize(testing::write_table(records, std::move(options)));
  }
  per_record(state, records.size());
}

BENCHMARK(write_records_to_a_sink);

void write_records_with_break_rule(benchmark::State& state) {
  const auto records = bench_records(50'000);
  for (auto unused : state) {
    TableWriter writer(ranges_table());
    int breaks = 0;
    for (const auto& [key, value] : records) {
      writer.add(key, value);
      breaks += breaks_after({}, key, writer.estimated_size()) ? 1 : 0;
    }
    benchmark::DoNotOptimize(breaks);
    benchmark::DoNotOptimize(writer.finish());
  }
  per_record(state, records.size());
}

BENCHMARK(write_records_with_break_rule);

// One object overwritten near the front of a range: what a small commit into a large tree costs. An
// insertion would move the boundaries of all later blocks when records are of one size.
void rewrite_with_one_change(benchmark::State& state) {
  const bool offer = state.range(0) != 0;
  const auto old = testing::write_table(bench_records(50'000));
  const TableView view(old.bytes);
  const std::string changed(150, 'c');
  for (auto unused : state) {
    TableWriter writer(ranges_table());
    TableView::Iterator at(view);
    for (std::int64_t i = 0; at.next(); ++i) {
      writer.add(at.key(), i == 100 ? std::string_view(changed) : at.value());
      if (offer && at.at_block_end()) {
        writer.offer_stored_block(at.block_payload(), view.stored_block(at.block()));
      }
    }
    benchmark::DoNotOptimize(writer.finish());
  }
  per_record(state, 50'000);
}

BENCHMARK(rewrite_with_one_change)->Arg(0)->Arg(1);

// The same near the end of a range, by copying: what a commit does where it can.
void copy_around_one_change(benchmark::State& state) {
  const auto old = testing::write_table(bench_records(50'000));
  const TableView view(old.bytes);
  std::vector<std::string> payloads;
  for (std::size_t i = 0; i < view.index().size(); ++i)
    payloads.push_back(decode_block(view.stored_block(i)));
  const std::size_t checkpoint = old.history.checkpoints.size() / 2;
  const std::size_t blocks = old.history.checkpoints[checkpoint]->blocks;
  const BlockHandle last = view.index().handle(blocks - 1);
  for (auto unused : state) {
    TableWriter writer(ranges_table());
    writer.resume(view.index(), old.history, checkpoint,
                  old.bytes.substr(0, last.offset + last.stored_bytes()));
    for (std::size_t i = blocks; i < payloads.size(); ++i)
      writer.add_stored_block(payloads[i], view.stored_block(i));
    benchmark::DoNotOptimize(writer.finish());
  }
  per_record(state, 50'000);
}

BENCHMARK(copy_around_one_change);

void scan(benchmark::State& state) {
  const auto table = testing::write_table(bench_records(50'000));
  const TableView view(table.bytes);
  for (auto unused : state) {
    std::size_t bytes = 0;
    for (TableView::Iterator at(view); at.next();)
      bytes += at.value().size();
    benchmark::DoNotOptimize(bytes);
  }
  per_record(state, 50'000);
}

BENCHMARK(scan);

void verify_id(benchmark::State& state) {
  const auto table = testing::write_table(bench_records(50'000));
  for (auto unused : state)
    benchmark::DoNotOptimize(compute_table_id(TableView(table.bytes)));
  per_record(state, 50'000);
}

BENCHMARK(verify_id);

void look_up_in_index_and_decoded_block(benchmark::State& state) {
  const auto records = bench_records(50'000);
  const auto table = testing::write_table(records);
  const TableView view(table.bytes);
  std::vector<std::string> payloads;
  for (std::size_t i = 0; i < view.index().size(); ++i)
    payloads.push_back(decode_block(view.stored_block(i)));
  std::size_t i = 0;
  for (auto unused : state) {
    i = (i + 7'919) % records.size();
    const std::size_t block = *view.index().find(records[i].first);
    BlockIterator at(payloads[block], KeyForm::record);
    benchmark::DoNotOptimize(at.seek_ge(records[i].first));
    benchmark::DoNotOptimize(at.value());
  }
  per_record(state, 1);
}

BENCHMARK(look_up_in_index_and_decoded_block);

void parse_index(benchmark::State& state) {
  const auto table = testing::write_table(bench_records(50'000));
  for (auto unused : state)
    benchmark::DoNotOptimize(TableIndex::parse(table.bytes.size(), table.bytes));
}

BENCHMARK(parse_index);

}  // namespace
}  // namespace tarn::sst
