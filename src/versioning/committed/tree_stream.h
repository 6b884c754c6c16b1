// The stream over a tree that callers outside see.
#pragma once

#include <string>
#include <string_view>

#include "versioning/committed/committed.h"
#include "versioning/committed/tree_walk.h"

namespace tarn::versioning {

class WalkStream final : public TreeStream {
 public:
  WalkStream(RangeStore& store, std::string storage_namespace, MetaRangeId id)
      : walk_(store, std::move(storage_namespace), std::move(id)) {}

  bool next() override;
  Task<bool> fill(Context& ctx) override;
  void seek(std::string_view key) override;
  bool next_range() override;
  Task<bool> fill_range(Context& ctx) override;

  const RecordView& record() const override { return walk_.record(); }

  const RangeInfo& range() const override { return walk_.range(); }

  bool at_range_head() const override { return walk_.at_head(); }

 private:
  TreeWalk walk_;
  bool fresh_ = true;  // the walk stands where the next move wants to be, or before it
};

}  // namespace tarn::versioning
