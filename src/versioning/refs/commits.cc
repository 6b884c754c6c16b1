#include "versioning/refs/commits.h"

#include <array>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/error.h"
#include "versioning/refs/keys.h"
#include "versioning/refs/record_codec.h"
#include "versioning/refs/record_page.h"

namespace tarn::versioning {

/// Least recently used out, in shards of their own locks.
struct Commits::Cache {
  /// The partition, then the commit.
  using Key = std::pair<std::string_view, std::string_view>;

  struct Hash {
    // Ids are digests: two repositories hold the same commit only if one was copied.
    std::size_t operator()(const Key& key) const {
      return std::hash<std::string_view>{}(key.second);
    }
  };

  struct Entry {
    std::string partition;
    CommitPtr commit;

    Key key() const { return {partition, commit->id.str()}; }
  };

  struct Shard {
    using Entries = std::list<Entry>;
    std::mutex mutex;
    Entries entries;                                         // most recently used first
    std::unordered_map<Key, Entries::iterator, Hash> index;  // views of the entries
  };

  static constexpr std::size_t kShards = 16;

  explicit Cache(std::size_t entries_max) : per_shard_((entries_max + kShards - 1) / kShards) {}

  CommitPtr find(const Key& key) {
    if (per_shard_ == 0) return nullptr;
    Shard& home = shard(key);
    const std::scoped_lock lock(home.mutex);
    const auto found = home.index.find(key);
    if (found == home.index.end()) return nullptr;
    home.entries.splice(home.entries.begin(), home.entries, found->second);
    return found->second->commit;
  }

  void put(std::string partition, CommitPtr commit) {
    if (per_shard_ == 0) return;
    Entry entry{std::move(partition), std::move(commit)};
    Shard& home = shard(entry.key());
    const std::scoped_lock lock(home.mutex);
    if (home.index.contains(entry.key())) return;
    home.entries.push_front(std::move(entry));
    home.index.emplace(home.entries.front().key(), home.entries.begin());
    if (home.entries.size() > per_shard_) {
      home.index.erase(home.entries.back().key());
      home.entries.pop_back();
    }
  }

 private:
  // By other bits than those the shards' maps go by.
  Shard& shard(const Key& key) { return shards_[(Hash{}(key) >> 48U) % kShards]; }

  std::size_t per_shard_;
  std::array<Shard, kShards> shards_;
};

Commits::Commits(kv::Store& kv, std::size_t cache_entries)
    : kv_(kv), cache_(std::make_unique<Cache>(cache_entries)) {}

Commits::~Commits() = default;

CommitPtr Commits::cached(std::string_view partition, const CommitId& id) const {
  return cache_->find({partition, id.str()});
}

Task<CommitPtr> Commits::find(Context& ctx, const Repository& repository, const CommitId& id) {
  std::string partition = repository.partition();
  if (CommitPtr hit = cached(partition, id)) co_return hit;
  const auto stored = co_await kv_.get(ctx, partition, keys::commit(id));
  if (!stored) co_return nullptr;
  auto commit = std::make_shared<const Commit>(decode_commit(*stored));
  if (commit->id != id) throw Error(ErrorCode::corrupt, "a commit is stored under another's id");
  cache_->put(std::move(partition), commit);
  co_return commit;
}

Task<CommitPtr> Commits::get(Context& ctx, const Repository& repository, const CommitId& id) {
  CommitPtr commit = co_await find(ctx, repository, id);
  if (!commit) throw Error(ErrorCode::commit_not_found, "commit not found");
  co_return commit;
}

Task<CommitPtr> Commits::find_by_prefix(Context& ctx, const Repository& repository,
                                        std::string_view prefix) {
  const std::string start = keys::join(keys::kCommits, prefix);
  auto cursor = kv_.scan(repository.partition(), {.from = start, .prefix = start, .page_keys = 2});
  if (!cursor->next() && !co_await cursor->fill(ctx)) co_return nullptr;
  auto commit = std::make_shared<const Commit>(decode_commit(cursor->value()));
  const bool ambiguous = cursor->next() || co_await cursor->fill(ctx);
  co_return ambiguous ? nullptr : commit;
}

Task<Page<Commit>> Commits::list(Context& ctx, const Repository& repository, PageRequest page) {
  return read_page(ctx, kv_, repository.partition(), keys::kCommits, std::move(page),
                   &decode_commit, kKeepAll, kKeepAll);
}

kv::Op Commits::put_op(const Repository& repository, const Commit& commit) {
  return kv::Op::set_if(repository.partition(), keys::commit(commit.id), encode_commit(commit),
                        kv::Expect::absent());
}

void Commits::note_stored(const Repository& repository, const Commit& commit) {
  cache_->put(repository.partition(), std::make_shared<const Commit>(commit));
}

Task<bool> Commits::put(Context& ctx, const Repository& repository, const Commit& commit) {
  std::vector<kv::Op> ops;
  ops.push_back(put_op(repository, commit));
  const auto results = co_await kv_.run(ctx, std::move(ops));
  // A record that was there first may differ in nanoseconds: it is the one to be read.
  if (!results.front().stored) co_return false;
  note_stored(repository, commit);
  co_return true;
}

}  // namespace tarn::versioning
