// Repository records, and the removal of everything a repository holds
// (storage-format.md 2.3, 4.9).
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string_view>

#include "base/context.h"
#include "base/task.h"
#include "base/time.h"
#include "kv/store.h"
#include "versioning/refs/ref_types.h"
#include "versioning/staging/cleanup.h"
#include "versioning/types.h"

namespace tarn::versioning {

/// Thread-safe. Throws what Store throws and Error{corrupt}.
class Repositories {
 public:
  /// get() may answer from a record up to `cache_age` old (0 = always read); this server's own
  /// changes are seen at once.
  Repositories(kv::Store& kv, Clock& clock, std::chrono::milliseconds cache_age);
  ~Repositories();

  /// The record as stored now, whatever its state.
  Task<std::optional<Repository>> find(Context& ctx, const RepositoryId& id);
  /// Error{repository_not_found} "repository not found"; {repository_in_deletion}
  /// "repository in deletion".
  Task<std::shared_ptr<const Repository>> get(Context& ctx, const RepositoryId& id);
  /// Those in deletion included. `search`: only ids that contain it.
  Task<Page<Repository>> list(Context& ctx, PageRequest page, std::string_view search = {});

  /// Writes the record last, behind the steps that make commit and branch, in one visit to the
  /// store. False: the name is taken; the steps stand.
  [[nodiscard]] Task<bool> create(Context& ctx, const Repository& repository,
                                  std::vector<kv::Op> before = {});
  /// Replaces the record of an existing repository (read-only flag, state).
  Task<> put(Context& ctx, const Repository& repository);

  /// Marks the repository as in deletion, then removes branches (their staging tokens are queued),
  /// tags, commits and metadata page by page, the record last. Interrupted, it may be repeated.
  /// Nothing happens if there is no such repository.
  Task<> remove(Context& ctx, const RepositoryId& id, Cleanup& cleanup);

  void forget(const RepositoryId& id);

 private:
  struct Cache;
  kv::Store& kv_;
  std::unique_ptr<Cache> cache_;
};

}  // namespace tarn::versioning
