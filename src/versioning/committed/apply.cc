#include "versioning/committed/apply.h"

#include <algorithm>

#include "io/sync.h"
#include "versioning/committed/range_file.h"

namespace tarn::versioning {

namespace {

/// Fewer blocks are not worth a read of their own.
constexpr std::size_t kBlocksCopiedMin = 3;
constexpr std::size_t kBlocksReadMax = 256;

/// Counts steps, so that long loops let others run.
constexpr std::uint32_t kStepsBetweenYields = 256;

class Applier {
 public:
  Applier(RangeStore& store, TreeWalk& base, RecordStream& changes, RangeWriter& out)
      : store_(store), base_(base), changes_(changes), out_(out) {}

  Task<ChangeSummary> run(Context& ctx) {
    has_change_ = changes_.next() || co_await changes_.fill(ctx);
    for (std::uint32_t steps = 1;; ++steps) {
      if (base_.stalled()) co_await base_.load(ctx);
      if (base_.at_end() && !has_change_) break;
      if (base_.at_record() && base_.cursor().at_block_start()) {
        if (const std::size_t count = untouched_blocks(); count > 0) {
          co_await copy_blocks(ctx, count);
          continue;
        }
      }
      if (take_step() == Used::change) {
        has_change_ = changes_.next() || co_await changes_.fill(ctx);
      }
      if (out_.backlogged()) co_await out_.start_uploads(ctx);
      if (steps % kStepsBetweenYields == 0) co_await io::yield();
    }
    co_return summary_;
  }

 private:
  enum class Used { base, change };

  /// How many blocks of the base, from the one the walk begins, can be copied as they are stored:
  /// up to the last but one before the next change, because what follows a block decides whether it
  /// is cut there. 0 where they cannot.
  std::size_t untouched_blocks() {
    const RangeCursor& cursor = base_.cursor();
    const sst::TableIndex& index = cursor.file()->index;
    std::size_t end = index.size() - 1;  // the file's last block ends as its range does
    if (has_change_ && changes_.record().key <= base_.range().max_key) {
      end = index.find(changes_.record().key).value_or(0);
      if (end > 0) --end;
    }
    if (copy_refused_ || end < cursor.block_index() + kBlocksCopiedMin) return 0;
    if (!out_.takes_blocks_of(*cursor.file(), base_.record())) return 0;
    return end - cursor.block_index();
  }

  Task<> copy_blocks(Context& ctx, std::size_t count) {
    const RangeFilePtr file = base_.cursor().file();
    std::size_t block = base_.cursor().block_index();
    for (const std::size_t end = block + count; block < end && !copy_refused_;) {
      const auto read =
          co_await store_.stored_blocks(ctx, file, block, std::min(end - block, kBlocksReadMax));
      const std::uint64_t origin = file->index.handle(block).offset;
      for (std::size_t i = 0; i < read.count && !copy_refused_; ++i) {
        const sst::BlockHandle handle = file->index.handle(block);
        copy_refused_ = !out_.append_block(
            std::string_view(read.bytes).substr(handle.offset - origin, handle.stored_bytes()));
        if (!copy_refused_) ++block;
      }
      co_await io::yield();
    }
    base_.enter_block(block);
  }

  /// One decision. Moves the base itself; the caller moves the changes.
  Used take_step() {
    if (!has_change_) return keep_base();
    const RecordView& change = changes_.record();
    if (base_.at_end()) return add(change);
    if (base_.at_head()) {
      if (base_.range().max_key < change.key) return keep_base();
      base_.step();
      return Used::base;
    }
    const int order = base_.record().key.compare(change.key);
    if (order < 0) return keep_base();
    if (order > 0) return add(change);
    return replace(change);
  }

  /// At a head the whole range, else the record.
  Used keep_base() {
    if (base_.at_head()) {
      out_.append_range(base_.range());
      base_.skip_range();
    } else {
      out_.append(base_.record());
      base_.step();
    }
    return Used::base;
  }

  Used add(const RecordView& change) {
    if (!change.tombstone) {
      out_.append(change);
      ++summary_.added;
    }
    return Used::change;
  }

  Used replace(const RecordView& change) {
    if (change.tombstone) {
      ++summary_.removed;
    } else if (change.identity == base_.record().identity) {
      out_.append(base_.record());  // the address of the older upload survives
    } else {
      out_.append(change);
      ++summary_.changed;
    }
    base_.step();
    return Used::change;
  }

  RangeStore& store_;
  TreeWalk& base_;
  RecordStream& changes_;
  RangeWriter& out_;
  bool has_change_ = false;
  bool copy_refused_ = false;  // near the largest size a range may have: record by record from here
  ChangeSummary summary_;
};

}  // namespace

Task<ChangeSummary> apply_changes(Context& ctx, RangeStore& store, TreeWalk& base,
                                  RecordStream& changes, RangeWriter& out) {
  Applier applier(store, base, changes, out);
  co_return co_await applier.run(ctx);
}

}  // namespace tarn::versioning
