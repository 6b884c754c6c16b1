// A position in a tree: at the head of a range, at a record, or at the end. What diff, merge and
// apply are written on; tree_stream.h wraps it for callers outside.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/context.h"
#include "base/task.h"
#include "versioning/committed/range_cursor.h"
#include "versioning/committed/range_store.h"

namespace tarn::versioning {

/// Single consumer. Moves are synchronous while bytes are at hand. A move that lacks bytes leaves
/// the walk `stalled`; `co_await load(ctx)` then completes it:
///
///   walk.step();
///   if (walk.stalled()) co_await walk.load(ctx);
///
/// A new walk is stalled before its first head.
class TreeWalk {
 public:
  TreeWalk(RangeStore& store, std::string storage_namespace, MetaRangeId id);
  TreeWalk(const TreeWalk&) = delete;
  TreeWalk& operator=(const TreeWalk&) = delete;

  bool stalled() const { return at_ == At::stalled; }

  bool at_head() const { return at_ == At::head; }

  bool at_record() const { return at_ == At::record; }

  bool at_end() const { return at_ == At::end; }

  /// Completes the move that stalled.
  Task<> load(Context& ctx);

  /// From a head to its range's first record; from a record to the next one or, after the last of
  /// its range, to the next head or the end.
  void step();
  /// To the next head, or the end.
  void skip_range();
  /// At a record that begins a block of its range's file: from there to the first record of another
  /// block of that file.
  void enter_block(std::size_t block);
  /// The same, by how many blocks; beyond the last to what follows the range.
  void skip_blocks(std::size_t count);
  /// To the first position not before `key`: a head whose range starts there or later, or a record
  /// inside a range that starts before it. Forward or back.
  void seek(std::string_view key);
  /// As seek(), but stays if the walk stands at or after `key` already.
  void advance_to(std::string_view key);

  /// The first key that is here or may follow: the head's min_key or the record's key. Not at the
  /// end.
  std::string_view low() const { return at_ == At::head ? range().min_key : record().key; }

  /// The range at whose head, or in which, the walk stands.
  const RangeInfo& range() const { return tree_->ranges[range_]; }

  const RecordView& record() const { return cursor_.record(); }

  /// Whether the record is the first of a block.
  bool at_block() const { return at_ == At::record && cursor_.at_block_start(); }

  /// Where in its range's file the record stands.
  const RangeCursor& cursor() const { return cursor_; }

  const MetaRangeId& id() const { return id_; }

  /// The whole tree; null until the first load().
  const TreePtr& tree() const { return tree_; }

 private:
  enum class At : std::uint8_t { stalled, head, record, end };

  void place_at_head();
  /// Into the current range: at its first record or, while seeking_, at seek_key_.
  void enter();
  bool find_file();
  void settle(RangeCursor::Outcome outcome);

  RangeStore& store_;
  const std::string storage_namespace_;
  const MetaRangeId id_;
  TreePtr tree_;
  At at_ = At::stalled;
  std::size_t range_ = 0;
  std::size_t cursor_range_ = SIZE_MAX;  // the range the cursor is over
  RangeCursor cursor_;
  bool seeking_ = false;
  std::string seek_key_;
};

/// How many blocks from here on, up to `count_max`, both trees hold alike as far as one can tell
/// without reading more; 0 unless both walks are at_block().
std::size_t equal_blocks(const TreeWalk& a, const TreeWalk& b, std::size_t count_max = SIZE_MAX);

}  // namespace tarn::versioning
