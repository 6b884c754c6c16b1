// Committed trees: immutable metaranges and ranges in the object store, read through bounded
// caches, compared and rewritten with whole ranges skipped by id. storage-format.md 3.6 to 3.11,
// 4.3 (apply), 4.4 (merge).
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "base/task.h"
#include "block/object_store.h"
#include "io/blocking_pool.h"
#include "versioning/streams.h"
#include "versioning/types.h"

namespace tarn::versioning {

struct CommittedConfig {
  std::string block_storage_prefix = "_lakefs";
  std::uint64_t range_bytes_min = 0;
  std::uint64_t range_bytes_max = 20'971'520;
  std::uint64_t range_raggedness_entries = 50'000;
  std::size_t uploads_per_writer = 10;             // ranges uploading while the next is built
  std::uint64_t memory_cache_bytes = 64ULL << 20;  // parsed indexes and decoded blocks
  std::filesystem::path disk_cache_dir;            // empty = no disk tier
  std::uint64_t disk_cache_bytes = 1ULL << 30;
};

/// One range of a metarange (RangeData plus its id).
struct RangeInfo {
  std::string id;
  std::string min_key;
  std::string max_key;
  std::uint64_t estimated_size = 0;
  std::int64_t count = 0;
};

/// A record stream over a tree that can stop at range heads and skip whole ranges.
/// Protocol: next_range()/fill_range() moves to the head of the next range (no record yet);
/// next()/fill() moves to the next record, entering ranges as needed.
class TreeStream : public RecordStream {
 public:
  virtual bool next_range() = 0;
  virtual Task<bool> fill_range(Context& ctx) = 0;
  /// The range the stream is in or at the head of.
  virtual const RangeInfo& range() const = 0;
  /// True right after next_range(): the stream stands before the first record of range().
  virtual bool at_range_head() const = 0;
};

struct WrittenTree {
  MetaRangeId id;
  std::vector<RangeInfo> ranges;
};

/// Builds a tree from ascending records and reused ranges (3.10). Bounded memory: finished ranges
/// upload concurrently while the next is built. Nothing refers to what an abandoned writer
/// uploaded. Throws Error{invalid_argument} "unsorted keys".
class TreeWriter {
 public:
  virtual ~TreeWriter() = default;
  virtual Task<> write(Context& ctx, std::string_view key, std::string_view identity,
                       std::string_view data) = 0;
  /// Reuses a range by id; closes the open range first, whatever its size.
  virtual Task<> write_range(Context& ctx, const RangeInfo& range) = 0;
  /// Waits for all uploads, then writes the metarange.
  virtual Task<WrittenTree> close(Context& ctx) = 0;

 protected:
  TreeWriter() = default;
  TreeWriter(const TreeWriter&) = delete;
  TreeWriter& operator=(const TreeWriter&) = delete;
};

struct ApplyResult {
  MetaRangeId id;
  ChangeSummary summary;  // all zero: nothing changed (id is then still a valid equal tree)
};

/// What merge() did; with conflicts under MergeStrategy::none nothing was written and id is empty.
struct TreeMergeResult {
  MetaRangeId id;
  ChangeSummary summary;
  std::string first_conflict;  // a key, for the message
};

/// Thread-safe. `storage_namespace` is the repository's. A missing or unverifiable file throws
/// Error{corrupt} or {data_missing}; a range loaded from the store is verified against its id
/// before first use (P3).
class Committed {
 public:
  Committed(block::ObjectStore& objects, io::BlockingPool& pool, CommittedConfig config);
  ~Committed();
  Committed(const Committed&) = delete;
  Committed& operator=(const Committed&) = delete;

  /// Ends the uploads of writers that were dropped without close(). Await it before destruction.
  Task<> close();

  /// Warm: no suspension beyond the call, about 2 us.
  Task<std::optional<Value>> get(Context& ctx, std::string_view storage_namespace,
                                 const MetaRangeId& tree, std::string_view key);

  /// Values of ascending `keys`, one pass.
  Task<std::vector<std::optional<Value>>> get_many(Context& ctx, std::string_view storage_namespace,
                                                   const MetaRangeId& tree,
                                                   const std::vector<std::string>& keys);

  std::unique_ptr<TreeStream> open(std::string storage_namespace, MetaRangeId tree);

  /// Error{not_found} for an unknown metarange.
  Task<std::vector<RangeInfo>> ranges(Context& ctx, std::string_view storage_namespace,
                                      const MetaRangeId& tree);

  /// `dump_properties` are the extra table properties of refs dumps (6.1); empty for data.
  std::unique_ptr<TreeWriter> writer(std::string storage_namespace,
                                     std::map<std::string, std::string> dump_properties = {});

  /// The commit algorithm (4.3): `changes` may hold tombstones.
  Task<ApplyResult> apply(Context& ctx, std::string_view storage_namespace, const MetaRangeId& base,
                          RecordStream& changes);

  /// Two-dot comparison by identity (4.4): left against right.
  std::unique_ptr<DiffStream> diff(std::string storage_namespace, MetaRangeId left,
                                   MetaRangeId right);

  /// Three-dot comparison: what merging `source` into `destination` would see.
  std::unique_ptr<DiffStream> compare(std::string storage_namespace, MetaRangeId destination,
                                      MetaRangeId source, MetaRangeId base);

  /// Three-way merge of trees (4.4), strategies included. The fast paths (D = B, S = B) too.
  Task<TreeMergeResult> merge(Context& ctx, std::string_view storage_namespace,
                              const MetaRangeId& destination, const MetaRangeId& source,
                              const MetaRangeId& base, MergeStrategy strategy);

  /// Where a range or metarange lives.
  block::ObjectRef object_of(std::string_view storage_namespace, std::string_view id) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tarn::versioning
