// Deleting by key, as DeleteObject and DeleteObjects share it (A8.4, A8.5).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "aws/s3_error.h"
#include "base/context.h"
#include "base/task.h"
#include "s3gw/call.h"

namespace tarn::s3gw {

/// What must hold of an object for it to go; a missing object satisfies everything.
struct DeleteCondition {
  std::optional<std::string> etag;  // or "*"
  std::optional<std::string> last_modified;
  std::optional<std::uint64_t> size;

  bool empty() const { return !etag && !last_modified && !size; }
};

struct Deletion {
  std::string key;  // whole, as sent
  DeleteCondition condition;
};

/// One outcome per deletion, in order: nullopt = the key is gone or never was. Keys without a path
/// ("main", "main/") are never there. Keys of one branch go in one batch; each stands for itself.
/// Throws what concerns the whole request: a read-only repository, a store that is down. Conditions
/// are checked just before the removal, not atomically with it.
Task<std::vector<std::optional<aws::S3Error>>> delete_keys(Context& ctx, Call& call,
                                                           const std::vector<Deletion>& deletions);

}  // namespace tarn::s3gw
