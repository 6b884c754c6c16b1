// Two-dot and three-dot comparison of trees as streams. storage-format.md 4.4.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/context.h"
#include "base/task.h"
#include "versioning/committed/tree_walk.h"
#include "versioning/streams.h"

namespace tarn::versioning {

/// What both comparisons share: the streaming around a synchronous search for the next difference.
class TreeDiffStream : public DiffStream {
 public:
  bool next() final { return search() == Search::found; }

  Task<bool> fill(Context& ctx) final;

  const Difference& difference() const final { return difference_; }

 protected:
  enum class Search : std::uint8_t { found, ended, stalled, tired };
  /// Equal records passed in one search before others get to run.
  static constexpr std::uint32_t kStepsPerSearch = 256;

  /// The next difference, if it is at hand. `stalled` = load() first; `tired` = let others run.
  virtual Search search() = 0;
  /// Loads every walk that is stalled.
  virtual Task<> load(Context& ctx) = 0;

  Search found(DiffType type, const RecordView& record);

  Difference difference_;
};

/// What changed from left to right, by identity; ranges both trees hold are skipped unread.
class TreeDiff final : public TreeDiffStream {
 public:
  TreeDiff(RangeStore& store, std::string storage_namespace, MetaRangeId left, MetaRangeId right);
  void seek(std::string_view key) override;

 private:
  Search search() override;
  Task<> load(Context& ctx) override;

  TreeWalk left_;
  TreeWalk right_;
};

/// What merging `source` into `destination` would see: keys where the source differs from the base
/// and from the destination; a conflict where the destination differs from the base as well. The
/// value is the source's; where the source lacks the key, the destination's.
class TreeCompare final : public TreeDiffStream {
 public:
  TreeCompare(RangeStore& store, std::string storage_namespace, MetaRangeId destination,
              MetaRangeId source, MetaRangeId base);
  void seek(std::string_view key) override;

 private:
  Search search() override;
  Task<> load(Context& ctx) override;
  /// Judges `key`, where base and source differ; null = the tree lacks the key. False: no
  /// difference to report, or destination_ stalled.
  bool judge(std::string_view key, const RecordView* base, const RecordView* source);
  bool destination_has_range(const RangeInfo& range) const;
  void skip_source_range();

  TreeWalk base_;
  TreeWalk source_;
  TreeWalk destination_;
};

}  // namespace tarn::versioning
