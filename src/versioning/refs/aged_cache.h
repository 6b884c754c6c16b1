// A small cache of records that may be a little old, but never older than what this server itself
// has written.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/time.h"

namespace tarn::versioning {

/// Thread-safe. A reader takes epoch() before it reads the store and hands it to put(): if anything
/// was forgotten in between, what it read may be outdated and is not kept.
template <class T>
class AgedCache {
 public:
  AgedCache(Clock& clock, std::chrono::milliseconds age_max, std::size_t entries_max)
      : clock_(clock), age_max_(age_max), entries_max_(entries_max) {}

  /// Null if there is nothing young enough.
  std::shared_ptr<const T> find(const std::string& key) {
    if (age_max_.count() <= 0) return nullptr;
    const std::scoped_lock lock(mutex_);
    const auto found = entries_.find(key);
    return found != entries_.end() && is_young(found->second) ? found->second.value : nullptr;
  }

  std::uint64_t epoch() {
    const std::scoped_lock lock(mutex_);
    return epoch_;
  }

  void put(std::string key, std::shared_ptr<const T> value, std::uint64_t read_in_epoch) {
    if (age_max_.count() <= 0) return;
    const std::scoped_lock lock(mutex_);
    if (read_in_epoch != epoch_) return;
    if (entries_.size() >= entries_max_) make_room();
    entries_.insert_or_assign(std::move(key), Entry{std::move(value), clock_.now()});
  }

  void forget(const std::string& key) {
    const std::scoped_lock lock(mutex_);
    ++epoch_;
    entries_.erase(key);
  }

 private:
  struct Entry {
    std::shared_ptr<const T> value;
    Timestamp read_at;
  };

  bool is_young(const Entry& entry) const {
    const Timestamp now = clock_.now();
    const auto age = std::chrono::seconds(now.seconds - entry.read_at.seconds) +
                     std::chrono::nanoseconds(now.nanos - entry.read_at.nanos);
    return age.count() >= 0 && age < age_max_;  // a clock that was set back proves nothing
  }

  void make_room() {
    std::erase_if(entries_, [this](const auto& item) { return !is_young(item.second); });
    if (entries_.size() >= entries_max_) entries_.erase(entries_.begin());
  }

  Clock& clock_;
  std::chrono::milliseconds age_max_;
  std::size_t entries_max_;
  std::mutex mutex_;
  std::unordered_map<std::string, Entry> entries_;
  std::uint64_t epoch_ = 0;
};

}  // namespace tarn::versioning
