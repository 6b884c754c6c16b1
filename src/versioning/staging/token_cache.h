// What a branch was when it was last looked at: a hint that saves a round trip.
#pragma once

#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

namespace tarn::versioning {

struct BranchHint {
  std::string token;   // its staging token
  std::string stored;  // its record, byte for byte
};

/// Thread-safe. Bounded; when full it starts again from nothing, since a hint is cheap to get.
class TokenCache {
 public:
  explicit TokenCache(std::size_t entries_max) : entries_max_(entries_max) {}

  std::optional<BranchHint> find(const std::string& branch) {
    const std::scoped_lock lock(mutex_);
    const auto found = hints_.find(branch);
    return found == hints_.end() ? std::nullopt : std::optional(found->second);
  }

  void put(const std::string& branch, BranchHint hint) {
    if (entries_max_ == 0) return;
    const std::scoped_lock lock(mutex_);
    if (hints_.size() >= entries_max_ && !hints_.contains(branch)) hints_.clear();
    hints_.insert_or_assign(branch, std::move(hint));
  }

  void forget(const std::string& branch) {
    const std::scoped_lock lock(mutex_);
    hints_.erase(branch);
  }

 private:
  std::size_t entries_max_;
  std::mutex mutex_;
  std::unordered_map<std::string, BranchHint> hints_;
};

}  // namespace tarn::versioning
