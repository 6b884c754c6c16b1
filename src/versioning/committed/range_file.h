// An opened range file: what it takes to find and fetch its blocks.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "sst/table_reader.h"

namespace tarn::versioning {

/// Immutable, shared between threads.
struct RangeFile {
  std::uint64_t serial;  // one per file in this process: names its blocks in the cache
  std::string storage_namespace;
  std::string id;
  sst::TableIndex index;
  /// Cut by this process under its rules: no record but the last ends a range.
  bool cut_here = false;
};

}  // namespace tarn::versioning
