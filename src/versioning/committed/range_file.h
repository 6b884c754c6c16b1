// An opened range file: what it takes to find and fetch its blocks.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "sst/table_reader.h"
#include "sst/table_writer.h"

namespace tarn::versioning {

/// Immutable, shared between threads.
struct RangeFile {
  std::string storage_namespace;
  std::string id;
  sst::TableIndex index;
  /// Its block_tags name the decoded blocks in the cache, one for each: blocks of one name are
  /// equal, whichever file they are in. Checkpoints only where cut_here.
  sst::TableHistory history;
  /// Cut by this process under its rules: no record but the last ends a range.
  bool cut_here = false;

  std::uint64_t block_name(std::size_t block) const { return history.block_tags[block]; }
};

/// How many blocks of two files are known to be equal, from `a_first` and `b_first` on, up to
/// `count_max`.
inline std::size_t equal_blocks(const RangeFile& a, std::size_t a_first, const RangeFile& b,
                                std::size_t b_first, std::size_t count_max) {
  std::size_t count = 0;
  while (count < count_max && a_first + count < a.index.size() &&
         b_first + count < b.index.size() &&
         a.block_name(a_first + count) == b.block_name(b_first + count))
    ++count;
  return count;
}

}  // namespace tarn::versioning
