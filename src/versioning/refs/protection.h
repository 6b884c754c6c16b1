// Branch protection rules of a repository (storage-format.md 2.6).
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "base/context.h"
#include "base/task.h"
#include "base/time.h"
#include "kv/store.h"
#include "versioning/refs/ref_types.h"
#include "versioning/types.h"

namespace tarn::versioning {

/// Thread-safe. Throws what Store throws and Error{corrupt}.
class Protection {
 public:
  /// is_protected() may answer from rules up to `cache_age` old (0 = always read); this server's
  /// own changes are seen at once.
  Protection(kv::Store& kv, Clock& clock, std::chrono::milliseconds cache_age);
  ~Protection();

  /// As stored now.
  Task<StoredRules> rules(Context& ctx, const Repository& repository);
  /// Without a checksum unconditional. Error{precondition_failed} "Precondition failed" if what is
  /// stored has another one; "" stands for nothing stored, and for an empty rule set.
  Task<> set_rules(Context& ctx, const Repository& repository, const ProtectionRules& rules,
                   const std::optional<std::string>& if_checksum);
  Task<bool> is_protected(Context& ctx, const Repository& repository, const BranchId& branch,
                          BlockedAction action);

 private:
  struct Cache;
  kv::Store& kv_;
  std::unique_ptr<Cache> cache_;
};

/// Pure: does any pattern that matches `branch` block `action`?
bool blocks(const ProtectionRules& rules, std::string_view branch, BlockedAction action);

}  // namespace tarn::versioning
