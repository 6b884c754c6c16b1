#include "versioning/committed/tree_merge.h"

#include <algorithm>
#include <optional>

#include "io/sync.h"
#include "versioning/committed/block_copier.h"
#include "versioning/committed/range_file.h"

namespace tarn::versioning {

namespace {

constexpr std::uint32_t kStepsBetweenYields = 256;
constexpr std::size_t kEqualBlocksMax = 1'024;

/// A side of the merge and what its changes mean for the destination, whose summary we keep.
struct Side {
  TreeWalk& walk;
  MergeStrategy wins;                     // the strategy that favours this side
  std::int64_t ChangeSummary::* taken;    // counts what only this side has and is kept
  std::int64_t ChangeSummary::* dropped;  // counts what only this side has and is left out
};

enum class BaseRecord { absent, equal, different };

class Merger {
 public:
  Merger(RangeStore& store, MergeInputs inputs, MergeStrategy strategy, RangeWriter& out)
      : destination_(inputs.destination),
        source_(inputs.source),
        base_(inputs.base),
        strategy_(strategy),
        out_(out),
        copier_(store, out) {}

  Task<TreeMergeResult> run(Context& ctx) {
    for (std::uint32_t steps = 1;; ++steps) {
      if (source_.stalled()) co_await source_.load(ctx);
      if (destination_.stalled()) co_await destination_.load(ctx);
      if (base_.stalled()) co_await base_.load(ctx);
      if (source_.at_end() && destination_.at_end()) break;
      if (destination_.at_block() && source_.at_block() && co_await copy_equal(ctx)) continue;
      take_step();
      if (result_.summary.conflicts > 0 && strategy_ == MergeStrategy::none) break;
      if (out_.backlogged()) co_await out_.start_uploads(ctx);
      if (steps % kStepsBetweenYields == 0) co_await io::yield();
    }
    co_return std::move(result_);
  }

 private:
  /// Both sides hold the same blocks from here on: they are the result, whatever the base has.
  /// False if they do not, or their records have to be written one by one.
  Task<bool> copy_equal(Context& ctx) {
    const std::size_t before_last =
        destination_.cursor().file()->index.size() - 1 - destination_.cursor().block_index();
    const std::size_t count =
        std::min(before_last, equal_blocks(destination_, source_, kEqualBlocksMax));
    if (!copier_.can_copy(destination_, count)) co_return false;
    const std::size_t copied = co_await copier_.copy(ctx, destination_, count);
    if (copied == 0) co_return false;
    destination_.skip_blocks(copied);
    source_.skip_blocks(copied);
    co_return true;
  }

  /// One decision, taken with nothing stalled. It may leave walks stalled; when that is the base's
  /// walk, nothing else has moved and the same decision comes again.
  void take_step() {
    if (source_.at_end()) {
      remaining(destination_side_);
    } else if (destination_.at_end()) {
      remaining(source_side_);
    } else if (source_.at_head() && destination_.at_head()) {
      both_at_heads();
    } else if (source_.at_head()) {
      head_and_record(source_side_, destination_side_);
    } else if (destination_.at_head()) {
      head_and_record(destination_side_, source_side_);
    } else {
      both_at_records();
    }
  }

  void both_at_heads() {
    const RangeInfo& source = source_.range();
    const RangeInfo& destination = destination_.range();
    if (source.id == destination.id) {
      out_.append_range(source);
      source_.skip_range();
      destination_.skip_range();
    } else if (source.min_key == destination.min_key && source.max_key == destination.max_key) {
      equal_bounds();
    } else if (source.max_key < destination.min_key) {
      if (!whole_range(source_side_)) enter_both();
    } else if (destination.max_key < source.min_key) {
      if (!whole_range(destination_side_)) enter_both();
    } else {
      enter_both();
    }
  }

  void equal_bounds() {
    const RangeInfo* base = base_overlap(source_.range());
    if (base != nullptr && base->id == source_.range().id) {
      take_over(destination_);
    } else if (base != nullptr && base->id == destination_.range().id) {
      result_.summary.changed += source_.range().count;
      take_over(source_);
    } else {
      enter_both();
    }
  }

  void take_over(const TreeWalk& from) {
    out_.append_range(from.range());
    source_.skip_range();
    destination_.skip_range();
  }

  void enter_both() {
    source_.step();
    destination_.step();
  }

  void head_and_record(Side& head, Side& inside) {
    const RangeInfo& range = head.walk.range();
    const std::string_view key = inside.walk.record().key;
    if (range.min_key > key) {
      lone_key(inside);
    } else if (range.max_key >= key || !whole_range(head)) {
      head.walk.step();
    }
  }

  void both_at_records() {
    const int order = source_.record().key.compare(destination_.record().key);
    if (order < 0) {
      lone_key(source_side_);
    } else if (order > 0) {
      lone_key(destination_side_);
    } else {
      same_key();
    }
  }

  void remaining(Side& side) {
    if (side.walk.at_record()) {
      lone_key(side);
    } else if (!whole_range(side)) {
      side.walk.step();
    }
  }

  /// The range at whose head `side` stands, and which the other side has no part of: kept if the
  /// base has nothing there, dropped if the base has the same, which the other side deleted.
  /// Returns false, and does nothing, if it has to be entered.
  bool whole_range(Side& side) {
    const RangeInfo& range = side.walk.range();
    const RangeInfo* base = base_overlap(range);
    if (base != nullptr && base->id != range.id) return false;
    if (base == nullptr) {
      out_.append_range(range);
      if (side.taken != nullptr) result_.summary.*side.taken += range.count;
    } else if (side.dropped != nullptr) {
      result_.summary.*side.dropped += range.count;
    }
    side.walk.skip_range();
    return true;
  }

  void lone_key(Side& side) {
    const auto base = base_record(side.walk.record());
    if (!base) return;
    switch (*base) {
      case BaseRecord::equal: drop(side); break;
      case BaseRecord::absent: keep(side); break;
      case BaseRecord::different:  // changed here, deleted on the other side
        note_conflict(side.walk.record().key);
        if (strategy_ == side.wins) {
          keep(side);
        } else {
          drop(side);
        }
        break;
    }
    side.walk.step();
  }

  void keep(Side& side) {
    out_.append(side.walk.record());
    if (side.taken != nullptr) ++(result_.summary.*side.taken);
  }

  void drop(Side& side) {
    if (side.dropped != nullptr) ++(result_.summary.*side.dropped);
  }

  void same_key() {
    const RecordView& source = source_.record();
    const RecordView& destination = destination_.record();
    if (source.identity == destination.identity) {
      out_.append(source);
    } else {
      const auto base = base_record(source);
      if (!base) return;
      const bool destination_unchanged =
          *base == BaseRecord::different && base_.record().identity == destination.identity;
      if (*base == BaseRecord::equal) {
        out_.append(destination);
      } else if (destination_unchanged) {
        write_source();
      } else {
        note_conflict(source.key);
        if (strategy_ == MergeStrategy::source_wins) {
          write_source();
        } else if (strategy_ == MergeStrategy::destination_wins) {
          out_.append(destination);
        }
      }
    }
    source_.step();
    destination_.step();
  }

  void write_source() {
    out_.append(source_.record());
    ++result_.summary.changed;
  }

  void note_conflict(std::string_view key) {
    if (result_.summary.conflicts++ == 0) result_.first_conflict.assign(key);
  }

  /// The base's value at the record's key against the record's; nullopt = the base stalled.
  std::optional<BaseRecord> base_record(const RecordView& record) {
    base_.advance_to(record.key);
    if (base_.at_head() && base_.range().min_key == record.key) base_.step();
    if (base_.stalled()) return std::nullopt;
    if (!base_.at_record() || base_.record().key != record.key) return BaseRecord::absent;
    return base_.record().identity == record.identity ? BaseRecord::equal : BaseRecord::different;
  }

  /// The first base range that is not entirely before `range`, if the two overlap.
  const RangeInfo* base_overlap(const RangeInfo& range) const {
    const Tree& tree = *base_.tree();
    const std::size_t at = tree.find(range.min_key);
    if (at == tree.ranges.size() || tree.ranges[at].min_key > range.max_key) return nullptr;
    return &tree.ranges[at];
  }

  TreeWalk& destination_;
  TreeWalk& source_;
  TreeWalk& base_;
  Side source_side_{source_, MergeStrategy::source_wins, &ChangeSummary::added, nullptr};
  Side destination_side_{destination_, MergeStrategy::destination_wins, nullptr,
                         &ChangeSummary::removed};
  const MergeStrategy strategy_;
  RangeWriter& out_;
  BlockCopier copier_;
  TreeMergeResult result_;
};

}  // namespace

Task<TreeMergeResult> merge_trees(Context& ctx, RangeStore& store, MergeInputs inputs,
                                  MergeStrategy strategy, RangeWriter& out) {
  Merger merger(store, inputs, strategy, out);
  co_return co_await merger.run(ctx);
}

}  // namespace tarn::versioning
