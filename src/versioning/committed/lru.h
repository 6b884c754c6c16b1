// A bounded cache of immutable values, shared by every loop.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

namespace tarn::versioning {

/// Thread-safe. Bounded by bytes, as declared by put(), over all shards together: values are few
/// and large enough for the shards to fill unevenly. The newest value is kept even if it alone
/// passes the bound. Values are shared: one that is dropped here lives on with whoever holds it.
/// `Hash` and `Equal` may be transparent.
template <class Key, class Value, class Hash = std::hash<Key>, class Equal = std::equal_to<>>
class ShardedLru {
 public:
  using Ptr = std::shared_ptr<const Value>;

  ShardedLru(std::uint64_t bytes_max, std::size_t shards)
      : bytes_max_(bytes_max), shards_(shards) {}

  /// The value, which becomes the youngest of its shard, or null.
  template <class K>
  Ptr find(const K& key) {
    const std::size_t hash = Hash{}(key);
    Shard& shard = shards_[hash % shards_.size()];
    const std::scoped_lock lock(shard.mutex);
    const auto found = shard.index.find(key);
    if (found == shard.index.end()) return nullptr;
    shard.young_first.splice(shard.young_first.begin(), shard.young_first, found->second);
    found->second->used = puts_.load(std::memory_order_relaxed);
    return found->second->value;
  }

  /// Keeps `value`; an older value under `key` goes.
  void put(const Key& key, Ptr value, std::uint64_t bytes) {
    const std::uint64_t now = puts_.fetch_add(1, std::memory_order_relaxed) + 1;
    {
      std::list<Item> dropped;  // freed after the lock
      Shard& shard = shards_[Hash{}(key) % shards_.size()];
      const std::scoped_lock lock(shard.mutex);
      if (const auto old = shard.index.find(key); old != shard.index.end()) {
        take(shard, old->second, dropped);
      }
      shard.young_first.push_front({key, std::move(value), bytes, now});
      shard.index.emplace(key, shard.young_first.begin());
      bytes_ += bytes;
    }
    while (bytes_ > bytes_max_ && drop_oldest(now)) {
    }
  }

  /// Keeps `value` if there is room for it and nothing under `key`.
  void offer(const Key& key, Ptr value, std::uint64_t bytes) {
    Shard& shard = shards_[Hash{}(key) % shards_.size()];
    const std::scoped_lock lock(shard.mutex);
    if (bytes_ + bytes > bytes_max_ || shard.index.contains(key)) return;
    shard.young_first.push_back({key, std::move(value), bytes, 0});
    shard.index.emplace(key, std::prev(shard.young_first.end()));
    bytes_ += bytes;
  }

  std::uint64_t bytes() const { return bytes_; }

 private:
  struct Item {
    Key key;
    Ptr value;
    std::uint64_t bytes;
    std::uint64_t used;  // how many had been put when it was last
  };

  struct Shard {
    std::mutex mutex;
    std::list<Item> young_first;
    std::unordered_map<Key, typename std::list<Item>::iterator, Hash, Equal> index;
  };

  /// Under the shard's mutex.
  void take(Shard& shard, typename std::list<Item>::iterator item, std::list<Item>& into) {
    bytes_ -= item->bytes;
    shard.index.erase(item->key);
    into.splice(into.end(), shard.young_first, item);
  }

  /// What was used longest ago, in whichever shard, but nothing put or used since `now`.
  bool drop_oldest(std::uint64_t now) {
    Shard* where = nullptr;
    std::uint64_t oldest = now;
    for (Shard& shard : shards_) {
      const std::scoped_lock lock(shard.mutex);
      if (shard.young_first.empty() || shard.young_first.back().used >= oldest) continue;
      oldest = shard.young_first.back().used;
      where = &shard;
    }
    if (where == nullptr) return false;
    std::list<Item> dropped;  // freed after the lock
    const std::scoped_lock lock(where->mutex);
    if (where->young_first.empty() || where->young_first.back().used > oldest) return true;
    take(*where, std::prev(where->young_first.end()), dropped);
    return true;
  }

  const std::uint64_t bytes_max_;
  std::atomic<std::uint64_t> bytes_ = 0;
  std::atomic<std::uint64_t> puts_ = 0;
  std::vector<Shard> shards_;
};

}  // namespace tarn::versioning
