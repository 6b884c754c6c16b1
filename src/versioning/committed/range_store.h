// Range and metarange files by id: bounded caches in memory, an optional bounded tier on local
// disk, then the object store. Whatever comes in from outside this process is verified against
// its id before anybody sees it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "base/task.h"
#include "block/object_store.h"
#include "io/blocking_pool.h"
#include "versioning/committed/committed.h"

namespace tarn::sst {
struct TableHistory;
}  // namespace tarn::sst

namespace tarn::versioning {

/// A metarange, parsed. Ranges ascend and are disjoint.
struct Tree {
  std::vector<RangeInfo> ranges;

  /// The index of the first range that does not end before `key`.
  std::size_t find(std::string_view key) const;
};

using TreePtr = std::shared_ptr<const Tree>;

struct RangeFile;  // range_file.h
using RangeFilePtr = std::shared_ptr<const RangeFile>;
using BlockPtr = std::shared_ptr<const std::string>;  // a decoded data block

/// Thread-safe. The find_ functions look in memory only and never suspend; the others fetch, one
/// caller for all that want the same file. Throws Error{data_missing} for a file that is not there
/// and Error{corrupt} for one whose content does not have its id.
class RangeStore {
 public:
  RangeStore(block::ObjectStore& objects, io::BlockingPool& pool, const CommittedConfig& config);
  ~RangeStore();
  RangeStore(const RangeStore&) = delete;
  RangeStore& operator=(const RangeStore&) = delete;

  TreePtr find_tree(std::string_view storage_namespace, std::string_view id);
  Task<TreePtr> tree(Context& ctx, std::string storage_namespace, std::string id);

  RangeFilePtr find_file(std::string_view storage_namespace, std::string_view id);
  Task<RangeFilePtr> file(Context& ctx, std::string storage_namespace, std::string id);

  BlockPtr find_block(const RangeFile& file, std::size_t index);
  /// Keeps a decoded block if that makes no other go: for whoever reads a file from end to end.
  void offer_block(const RangeFile& file, std::size_t index, const BlockPtr& block);
  /// Block `index`, and into the cache up to `ahead` of those that follow it, in one read.
  Task<BlockPtr> block(Context& ctx, RangeFilePtr file, std::size_t index, std::size_t ahead);

  /// Blocks as they are stored, `count` of them from `first` or fewer: for copying. Past the cache.
  struct StoredBlocks {
    std::string bytes;
    std::size_t count = 0;
  };

  Task<StoredBlocks> stored_blocks(Context& ctx, RangeFilePtr file, std::size_t first,
                                   std::size_t count);

  /// The file's first `count` blocks as they are stored, with room for the rest of it.
  Task<std::string> stored_prefix(Context& ctx, RangeFilePtr file, std::size_t count);

  /// Takes in a range this process has just uploaded: no need to fetch or verify it.
  /// Tags in its history are names of blocks (range_file.h).
  Task<> adopt_file(Context& ctx, std::string storage_namespace, std::string id,
                    std::shared_ptr<const std::string> bytes, sst::TableHistory history);
  void adopt_tree(std::string_view storage_namespace, std::string_view id, TreePtr tree);

  block::ObjectRef object_of(std::string_view storage_namespace, std::string_view id) const;

  /// What the caches in memory hold, for metrics.
  std::uint64_t memory_bytes() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tarn::versioning
