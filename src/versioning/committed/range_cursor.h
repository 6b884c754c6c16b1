// Walks the records of one range file, block by block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/context.h"
#include "base/task.h"
#include "sst/block.h"
#include "versioning/committed/range_store.h"
#include "versioning/types.h"

namespace tarn::versioning {

/// Single consumer. A move returns `stalled` when it needs a block that is not in memory: then
/// `co_await load(ctx)` and call resume(), which completes the move or stalls again. Sequential
/// reading fetches ahead, twice as far each time. Throws Error{corrupt}.
class RangeCursor {
 public:
  enum class Outcome : std::uint8_t { record, end, stalled };

  explicit RangeCursor(RangeStore& store) : store_(store) {}

  void reset(RangeFilePtr file);

  Outcome first();
  Outcome next();
  /// To the first record not before `key`.
  Outcome seek(std::string_view key);
  /// As seek(), from a record that is before `key`: near records are reached without a search.
  Outcome advance(std::string_view key);

  Task<> load(Context& ctx);
  Outcome resume();

  /// Back or forth to the first record of a block.
  Outcome enter_block(std::size_t block);

  /// Whether the record is the first of its block.
  bool at_block_start() const { return at_block_start_; }

  std::size_t block_index() const { return block_index_; }

  const RangeFilePtr& file() const { return file_; }

  /// The decoded block the record is in.
  const std::string& block() const { return *block_; }

  /// Views live until the cursor moves.
  const RecordView& record() const { return record_; }

 private:
  Outcome enter(std::size_t block);
  /// False if the block holds nothing to stand on.
  bool open(BlockPtr block);
  Outcome settle();

  RangeStore& store_;
  RangeFilePtr file_;
  std::size_t block_index_ = 0;  // the block the cursor is in, or wants
  std::size_t ahead_ = 0;
  BlockPtr block_;    // keeps what `iterator_` points into
  BlockPtr fetched_;  // by load(), for resume()
  sst::BlockIterator iterator_;
  bool at_block_start_ = false;
  bool seeking_ = false;  // enter the block at seek_key_, not at its first record
  std::string seek_key_;
  RecordView record_;
};

}  // namespace tarn::versioning
