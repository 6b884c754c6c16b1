// The staging token a branch had when it was last looked at: a hint that saves a round trip.
#pragma once

#include <cstddef>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

namespace tarn::versioning {

/// Thread-safe. Bounded; when full it starts again from nothing, since a hint is cheap to get.
class TokenCache {
 public:
  explicit TokenCache(std::size_t entries_max) : entries_max_(entries_max) {}

  /// "" if unknown.
  std::string find(const std::string& branch) {
    const std::scoped_lock lock(mutex_);
    const auto found = tokens_.find(branch);
    return found == tokens_.end() ? std::string() : found->second;
  }

  void put(const std::string& branch, const std::string& token) {
    if (entries_max_ == 0) return;
    const std::scoped_lock lock(mutex_);
    if (tokens_.size() >= entries_max_ && !tokens_.contains(branch)) tokens_.clear();
    tokens_.insert_or_assign(branch, token);
  }

  void forget(const std::string& branch) {
    const std::scoped_lock lock(mutex_);
    tokens_.erase(branch);
  }

 private:
  std::size_t entries_max_;
  std::mutex mutex_;
  std::unordered_map<std::string, std::string> tokens_;
};

}  // namespace tarn::versioning
