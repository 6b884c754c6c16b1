// Copies blocks of a range file into a new range as they are stored, where that gives what adding
// their records would give.
#pragma once

#include <cstddef>
#include <string>

#include "base/context.h"
#include "base/task.h"
#include "versioning/committed/range_store.h"
#include "versioning/committed/range_writer.h"
#include "versioning/committed/tree_walk.h"

namespace tarn::versioning {

/// Owned by the loop that owns the writer; both outlive it. Memory: one read's worth of stored
/// blocks, or the part of a file that the new one begins with.
class BlockCopier {
 public:
  BlockCopier(RangeStore& store, RangeWriter& out) : store_(store), out_(out) {}

  /// Whether it is worth it, and possible, to copy up to `count` blocks from where `walk`, which is
  /// at_block(), stands.
  bool can_copy(const TreeWalk& walk, std::size_t count) const;

  /// Copies blocks from where `walk` stands, up to `count`, and returns how many: fewer where the
  /// range might end in the next one. Does not move the walk.
  Task<std::size_t> copy(Context& ctx, const TreeWalk& walk, std::size_t count);

 private:
  Task<> fetch(Context& ctx, const RangeFilePtr& file, std::size_t block, std::size_t count);
  /// Begins a range with as many of `file`'s first `count` blocks as a checkpoint allows.
  Task<std::size_t> begin_alike(Context& ctx, RangeFilePtr file, std::size_t count);
  bool holds(const RangeFile& file, std::size_t block) const;

  RangeStore& store_;
  RangeWriter& out_;
  RangeFilePtr file_;  // of what was fetched
  std::size_t first_ = 0;
  RangeStore::StoredBlocks fetched_;
  bool refused_ = false;  // near the largest size a range may have: record by record from here
};

}  // namespace tarn::versioning
