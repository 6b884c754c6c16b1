// Tag records of a repository. Tags never change; nothing is cached, since they may be removed.
#pragma once

#include <optional>

#include "base/context.h"
#include "base/task.h"
#include "kv/store.h"
#include "versioning/refs/ref_types.h"
#include "versioning/types.h"

namespace tarn::versioning {

/// Thread-safe. Throws what Store throws and Error{corrupt}.
class Tags {
 public:
  explicit Tags(kv::Store& kv) : kv_(kv) {}

  Task<std::optional<Tag>> find(Context& ctx, const Repository& repository, const TagId& id);
  /// Error{tag_not_found} "tag not found".
  Task<Tag> get(Context& ctx, const Repository& repository, const TagId& id);
  Task<Page<Tag>> list(Context& ctx, const Repository& repository, PageRequest page);
  /// False: a tag of that id exists (nothing is written).
  [[nodiscard]] Task<bool> create(Context& ctx, const Repository& repository, const Tag& tag);
  /// Whatever is there; for restore.
  Task<> put(Context& ctx, const Repository& repository, const Tag& tag);
  /// Nothing happens if it is not there.
  Task<> remove(Context& ctx, const Repository& repository, const TagId& id);

 private:
  kv::Store& kv_;
};

}  // namespace tarn::versioning
