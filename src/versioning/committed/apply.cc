#include "versioning/committed/apply.h"

#include "io/sync.h"

namespace tarn::versioning {

namespace {

/// Counts steps, so that long loops let others run.
constexpr std::uint32_t kStepsBetweenYields = 256;

class Applier {
 public:
  Applier(TreeWalk& base, RecordStream& changes, RangeWriter& out)
      : base_(base), changes_(changes), out_(out) {}

  Task<ChangeSummary> run(Context& ctx) {
    has_change_ = changes_.next() || co_await changes_.fill(ctx);
    for (std::uint32_t steps = 1;; ++steps) {
      if (base_.stalled()) co_await base_.load(ctx);
      if (base_.at_end() && !has_change_) break;
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
  bool has_change_ = false;
  ChangeSummary summary_;
};

}  // namespace

Task<ChangeSummary> apply_changes(Context& ctx, TreeWalk& base, RecordStream& changes,
                                  RangeWriter& out) {
  Applier applier(base, changes, out);
  co_return co_await applier.run(ctx);
}

}  // namespace tarn::versioning
