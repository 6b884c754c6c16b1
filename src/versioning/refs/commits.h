// Commit records: immutable, so they are cached for good, within a bound.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "base/context.h"
#include "base/task.h"
#include "kv/store.h"
#include "versioning/refs/ref_types.h"
#include "versioning/types.h"

namespace tarn::versioning {

/// Shared by the cache and whoever reads; never null unless said so.
using CommitPtr = std::shared_ptr<const Commit>;

/// Thread-safe. The cache is keyed by repository instance and id; a missing commit is never
/// remembered as missing. Throws what Store throws and Error{corrupt}.
class Commits {
 public:
  /// `cache_entries` 0 = no cache.
  Commits(kv::Store& kv, std::size_t cache_entries);
  ~Commits();

  /// Null if there is none. Warm: no suspension beyond the call.
  Task<CommitPtr> find(Context& ctx, const Repository& repository, const CommitId& id);
  /// Error{commit_not_found} "commit not found".
  Task<CommitPtr> get(Context& ctx, const Repository& repository, const CommitId& id);
  /// The only commit whose id starts with `prefix`; null if none or several do.
  Task<CommitPtr> find_by_prefix(Context& ctx, const Repository& repository,
                                 std::string_view prefix);
  /// By id, for dumps and GC. Does not fill the cache.
  Task<Page<Commit>> list(Context& ctx, const Repository& repository, PageRequest page);

  /// Stores a record under commit.id, which the caller has computed. False: it existed already,
  /// which for equal ids is success.
  Task<bool> put(Context& ctx, const Repository& repository, const Commit& commit);

  /// The step that put() takes, for a run with other steps, and what to tell once it was stored:
  /// then the record is read from the cache.
  static kv::Op put_op(const Repository& repository, const Commit& commit);
  void note_stored(const Repository& repository, const Commit& commit);

  /// From the cache only; null if it is not there. `partition` is Repository::partition(): for
  /// walks, which ask many times.
  CommitPtr cached(std::string_view partition, const CommitId& id) const;

 private:
  struct Cache;
  kv::Store& kv_;
  std::unique_ptr<Cache> cache_;
};

}  // namespace tarn::versioning
