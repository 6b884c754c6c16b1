// A bounded cache of immutable values, shared by every loop.
#pragma once

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

/// Thread-safe. Bounded by bytes, as declared by put(), split evenly over the shards; the newest
/// value of a shard is kept even if it alone passes the shard's share. Values are shared: one that
/// is dropped here lives on with whoever holds it. `Hash` and `Equal` may be transparent.
template <class Key, class Value, class Hash = std::hash<Key>, class Equal = std::equal_to<>>
class ShardedLru {
 public:
  using Ptr = std::shared_ptr<const Value>;

  ShardedLru(std::uint64_t bytes_max, std::size_t shards)
      : shard_bytes_max_(bytes_max / shards), shards_(shards) {}

  /// The value, which becomes the youngest of its shard, or null.
  template <class K>
  Ptr find(const K& key) {
    const std::size_t hash = Hash{}(key);
    Shard& shard = shards_[hash % shards_.size()];
    const std::scoped_lock lock(shard.mutex);
    const auto found = shard.index.find(key);
    if (found == shard.index.end()) return nullptr;
    shard.young_first.splice(shard.young_first.begin(), shard.young_first, found->second);
    return found->second->value;
  }

  /// Keeps `value`; an older value under `key` goes.
  void put(const Key& key, Ptr value, std::uint64_t bytes) {
    std::list<Item> dropped;  // freed after the lock
    Shard& shard = shards_[Hash{}(key) % shards_.size()];
    const std::scoped_lock lock(shard.mutex);
    if (const auto old = shard.index.find(key); old != shard.index.end()) {
      shard.bytes -= old->second->bytes;
      dropped.splice(dropped.end(), shard.young_first, old->second);
      shard.index.erase(old);
    }
    shard.young_first.push_front({key, std::move(value), bytes});
    shard.index.emplace(key, shard.young_first.begin());
    shard.bytes += bytes;
    while (shard.bytes > shard_bytes_max_ && shard.young_first.size() > 1) {
      const auto oldest = std::prev(shard.young_first.end());
      shard.bytes -= oldest->bytes;
      shard.index.erase(oldest->key);
      dropped.splice(dropped.end(), shard.young_first, oldest);
    }
  }

  /// Keeps `value` if there is room for it and nothing under `key`.
  void offer(const Key& key, Ptr value, std::uint64_t bytes) {
    Shard& shard = shards_[Hash{}(key) % shards_.size()];
    const std::scoped_lock lock(shard.mutex);
    if (shard.bytes + bytes > shard_bytes_max_ || shard.index.contains(key)) return;
    shard.young_first.push_back({key, std::move(value), bytes});
    shard.index.emplace(key, std::prev(shard.young_first.end()));
    shard.bytes += bytes;
  }

  std::uint64_t bytes() const {
    std::uint64_t sum = 0;
    for (const Shard& shard : shards_) {
      const std::scoped_lock lock(shard.mutex);
      sum += shard.bytes;
    }
    return sum;
  }

 private:
  struct Item {
    Key key;
    Ptr value;
    std::uint64_t bytes;
  };

  struct Shard {
    mutable std::mutex mutex;
    std::list<Item> young_first;
    std::unordered_map<Key, typename std::list<Item>::iterator, Hash, Equal> index;
    std::uint64_t bytes = 0;
  };

  std::uint64_t shard_bytes_max_;
  std::vector<Shard> shards_;
};

}  // namespace tarn::versioning
