// Three-way merge of trees with whole ranges taken or dropped by id. storage-format.md 4.4: the
// rules decide which ranges of the result are reused, and so its id.
#pragma once

#include <string>

#include "base/context.h"
#include "base/task.h"
#include "versioning/committed/committed.h"
#include "versioning/committed/range_writer.h"
#include "versioning/committed/tree_walk.h"

namespace tarn::versioning {

struct MergeInputs {
  TreeWalk& destination;
  TreeWalk& source;
  TreeWalk& base;
};

/// Writes the merged tree to `out`, which the caller closes unless there is a conflict that the
/// strategy does not settle: the merge then stops at the first. The result's id stays empty. A
/// range taken or dropped whole counts all its records as added, removed or changed.
Task<TreeMergeResult> merge_trees(Context& ctx, RangeStore& store, MergeInputs inputs,
                                  MergeStrategy strategy, RangeWriter& out);

}  // namespace tarn::versioning
