// The commit algorithm: staged changes over a base tree. storage-format.md 4.3.
#pragma once

#include "base/context.h"
#include "base/task.h"
#include "versioning/committed/committed.h"
#include "versioning/committed/range_writer.h"
#include "versioning/committed/tree_walk.h"

namespace tarn::versioning {

/// Writes `base` with `changes` laid over it to `out`, which the caller closes.
/// Blocks of large ranges far from any change are copied as `store` has them.
Task<ChangeSummary> apply_changes(Context& ctx, RangeStore& store, TreeWalk& base,
                                  RecordStream& changes, RangeWriter& out);

}  // namespace tarn::versioning
