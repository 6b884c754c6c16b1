// Where a stream of records is divided into ranges (storage-format.md 3.10): mostly by content, so
// that an edit moves few boundaries.
#pragma once

#include <cstdint>
#include <string_view>

namespace tarn::sst {

struct SplitParams {
  std::uint64_t range_bytes_min = 0;
  std::uint64_t range_bytes_max = 20'971'520;
  std::uint64_t raggedness_entries = 50'000;  // a range's expected length; at least 1
};

/// Whether the range ends with `key`, the record just added; `estimated_size` is the writer's now.
bool breaks_after(const SplitParams& params, std::string_view key, std::uint64_t estimated_size);

}  // namespace tarn::sst
