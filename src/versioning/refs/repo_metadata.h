// Free metadata of a repository: one record, changed by compare-and-set (storage-format.md 2.4).
#pragma once

#include <string>
#include <vector>

#include "base/context.h"
#include "base/task.h"
#include "kv/store.h"
#include "versioning/types.h"

namespace tarn::versioning {

/// Thread-safe, uncached. Throws what Store throws and Error{corrupt}.
class RepoMetadata {
 public:
  explicit RepoMetadata(kv::Store& kv) : kv_(kv) {}

  /// Empty if nothing was ever set.
  Task<Metadata> get(Context& ctx, const Repository& repository);
  /// Sets and removes keys together; a key in both is removed. Lost races are retried boundedly,
  /// then Error{too_many_tries}.
  Task<> update(Context& ctx, const Repository& repository, const Metadata& set,
                const std::vector<std::string>& remove);

 private:
  kv::Store& kv_;
};

}  // namespace tarn::versioning
