// Records and comparisons that several tests of this layer share. Test code only.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "sst/table_reader.h"
#include "sst/table_writer.h"

namespace tarn::sst::testing {

using Records = std::vector<std::pair<std::string, std::string>>;

inline TableResult write_table(const Records& records, TableOptions options = ranges_table()) {
  TableWriter writer(std::move(options));
  for (const auto& [key, value] : records)
    writer.add(key, value);
  return writer.finish();
}

inline Records read_table(std::string_view file) {
  const TableView view(file);
  Records records;
  for (TableView::Iterator at(view); at.next();)
    records.emplace_back(at.key(), at.value());
  return records;
}

/// Sorted records of mixed shapes: deep shared prefixes, keys that extend each other, bytes 00 and
/// ff, values from empty to several blocks, some compressible.
inline Records random_records(std::uint64_t seed, std::size_t count, std::size_t value_bytes_max) {
  std::mt19937_64 random(seed);
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  std::map<std::string, std::string> records;
  std::string key;
  while (records.size() < count) {
    key.resize(below(key.size() + 1));
    for (std::size_t more = 1 + below(below(20) == 0 ? 300 : 12); more > 0; --more) {
      constexpr char kEdges[] = {'\0', '\x01', '\xff', '\xfe', 'a', 'b'};
      key.push_back(below(3) == 0 ? kEdges[below(sizeof kEdges)] : static_cast<char>(random()));
    }
    std::string value(below(below(4) == 0 ? value_bytes_max + 1 : 200), 'v');
    const std::size_t kind = below(3);
    for (char& c : value) {
      if (kind == 0) c = static_cast<char>(random());
      if (kind == 1) c = "0123456789abcdef"[below(16)];
    }
    records[key] = std::move(value);
  }
  return {records.begin(), records.end()};
}

}  // namespace tarn::sst::testing
