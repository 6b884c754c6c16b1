// Differences where the right side has uncommitted changes: a diff of trees overlaid with staging.
#pragma once

#include <memory>
#include <string>

#include "versioning/engine_parts.h"

namespace tarn::versioning {

/// The left tree against a right tree overlaid with `changes` (tombstones included). `trees` are
/// the differences of the two trees; null where they are the same tree (an uncommitted diff). A
/// tombstone over a key the left tree lacks, and a change to an equal identity, are no difference.
/// Borrows the engine and the repository's namespace by value.
std::unique_ptr<DiffStream> overlay_diff(EngineParts& engine, std::string storage_namespace,
                                         MetaRangeId left, std::unique_ptr<DiffStream> trees,
                                         std::unique_ptr<RecordStream> changes);

}  // namespace tarn::versioning
