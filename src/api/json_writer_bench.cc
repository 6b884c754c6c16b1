// A page of a listing as JSON.
#include <benchmark/benchmark.h>

#include "api/json_writer.h"
#include "api/object_models.h"
#include "base/format.h"

namespace tarn::api {
namespace {

constexpr std::size_t kEntries = 100;

std::vector<ObjectStats> page() {
  std::vector<ObjectStats> entries;
  for (std::size_t i = 0; i < kEntries; ++i) {
    entries.push_back(
        {.path = format("datasets/images/train/part-{:05}/image-{:08}.jpeg", i, i),
         .physical_address = format("local:///var/lib/tarn/objects/repo/data/{:040}", i),
         .checksum = format("{:032x}", i * 7'919),
         .mtime = 1'700'000'000 + static_cast<std::int64_t>(i),
         .size_bytes = 4'096,
         .content_type = "application/octet-stream",
         .metadata = {}});
  }
  return entries;
}

void write_a_page(benchmark::State& state) {
  const auto entries = page();
  std::string out;
  for (auto unused : state) {
    out.clear();
    JsonWriter writer(out);
    writer.begin_array();
    for (const ObjectStats& entry : entries)
      write(writer, entry);
    writer.end_array();
    benchmark::DoNotOptimize(out.data());
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * kEntries));
}

BENCHMARK(write_a_page);

void write_text_to_escape(benchmark::State& state) {
  std::string text;
  for (int i = 0; i < 64; ++i)
    text += "plain words, a \"quoted\" one, a\ttab and \u00fcml\u00e4uts; ";
  std::string out;
  for (auto unused : state) {
    out.clear();
    JsonWriter(out).value(text);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}

BENCHMARK(write_text_to_escape);

}  // namespace
}  // namespace tarn::api
