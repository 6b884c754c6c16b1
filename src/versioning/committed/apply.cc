#include "versioning/committed/apply.h"

#include <algorithm>

#include "io/sync.h"
#include "versioning/committed/block_copier.h"
#include "versioning/committed/range_file.h"

namespace tarn::versioning {

namespace {

/// Counts steps, so that long loops let others run.
constexpr std::uint32_t kStepsBetweenYields = 256;

class Applier {
 public:
  Applier(RangeStore& store, TreeWalk& base, RecordStream& changes, RangeWriter& out)
      : base_(base), changes_(changes), out_(out), copier_(store, out) {}

  Task<ChangeSummary> run(Context& ctx) {
    has_change_ = changes_.next() || co_await changes_.fill(ctx);
    for (std::uint32_t steps = 1;; ++steps) {
      if (base_.stalled()) co_await base_.load(ctx);
      if (base_.at_end() && !has_change_) break;
      if (base_.at_block()) {
        if (const std::size_t count = untouched_blocks(); copier_.can_copy(base_, count)) {
          if (const std::size_t copied = co_await copier_.copy(ctx, base_, count); copied > 0) {
            base_.skip_blocks(copied);
            continue;
          }
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

  /// How many blocks of the base, from the one the walk begins, lie before the next change. Not the
  /// file's last: it ends as its range does.
  std::size_t untouched_blocks() const {
    const RangeCursor& cursor = base_.cursor();
    const sst::TableIndex& index = cursor.file()->index;
    std::size_t end = index.size() - 1;
    if (has_change_ && changes_.record().key <= base_.range().max_key) {
      end = index.find(changes_.record().key).value_or(0);
    }
    return end - std::min(end, cursor.block_index());
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

  TreeWalk& base_;
  RecordStream& changes_;
  RangeWriter& out_;
  BlockCopier copier_;
  bool has_change_ = false;
  ChangeSummary summary_;
};

}  // namespace

Task<ChangeSummary> apply_changes(Context& ctx, RangeStore& store, TreeWalk& base,
                                  RecordStream& changes, RangeWriter& out) {
  Applier applier(store, base, changes, out);
  co_return co_await applier.run(ctx);
}

}  // namespace tarn::versioning
