#include "versioning/committed/range_store.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <utility>

#include "versioning/committed/file_source.h"
#include "versioning/committed/file_verifier.h"
#include "versioning/committed/lru.h"
#include "versioning/committed/range_file.h"
#include "versioning/committed/single_flight.h"

namespace tarn::versioning {

namespace {

constexpr std::size_t kSpanBytesMax = 256 << 10;  // fetched at once when reading ahead
constexpr std::size_t kBlocksDecodedInline = 4;
constexpr std::size_t kPrefixSlackBytes = 512 << 10;  // for changes, the index and what follows it
constexpr std::uint64_t kVerifiedBytesMax = 8 << 20;  // memory for ids known to be good
constexpr std::uint64_t kVerifiedEntryBytes = 256;

struct FileKeyView {
  std::string_view storage_namespace;
  std::string_view id;
};

struct FileKey {
  std::string storage_namespace;
  std::string id;

  operator FileKeyView() const { return {storage_namespace, id}; }  // NOLINT: transparent lookup
};

struct FileKeyHash {
  using is_transparent = void;  // NOLINT(readability-identifier-naming): the library's

  std::size_t operator()(FileKeyView key) const noexcept {
    return std::hash<std::string_view>{}(key.storage_namespace) * 31 +
           std::hash<std::string_view>{}(key.id);
  }
};

struct FileKeyEqual {
  using is_transparent = void;  // NOLINT(readability-identifier-naming): the library's

  bool operator()(FileKeyView a, FileKeyView b) const noexcept {
    return a.id == b.id && a.storage_namespace == b.storage_namespace;
  }
};

struct BlockNameHash {
  std::size_t operator()(std::uint64_t name) const noexcept {
    return static_cast<std::size_t>(name * 0x9e3779b97f4a7c15ULL >> 17);
  }
};

std::uint64_t memory_bytes_of(const RangeFile& file) {
  constexpr std::uint64_t kCheckpointBytes = 512;  // most of it the digest's state
  return sizeof file + file.index.memory_bytes() +
         file.history.block_tags.capacity() * sizeof(std::uint64_t) +
         file.history.checkpoints.size() * kCheckpointBytes;
}

std::uint64_t memory_bytes_of(const Tree& tree) {
  std::uint64_t sum = sizeof(Tree);
  for (const RangeInfo& range : tree.ranges)
    sum += sizeof(RangeInfo) + range.id.capacity() + range.min_key.capacity() +
           range.max_key.capacity();
  return sum;
}

std::vector<BlockPtr> decode_span(const RangeFile& file, std::size_t first, std::size_t count,
                                  const std::string& bytes) {
  const std::uint64_t origin = file.index.handle(first).offset;
  std::vector<BlockPtr> blocks;
  for (std::size_t i = 0; i < count; ++i) {
    const sst::BlockHandle handle = file.index.handle(first + i);
    const std::string_view stored =
        std::string_view(bytes).substr(handle.offset - origin, handle.stored_bytes());
    blocks.push_back(std::make_shared<const std::string>(sst::decode_block(stored)));
  }
  return blocks;
}

}  // namespace

std::size_t Tree::find(std::string_view key) const {
  const auto found = std::ranges::lower_bound(
      ranges, key, [](std::string_view a, std::string_view b) { return a < b; },
      [](const RangeInfo& range) { return std::string_view(range.max_key); });
  return static_cast<std::size_t>(found - ranges.begin());
}

struct RangeStore::Impl {
  io::BlockingPool& pool;
  FileSource source;
  const TreePtr empty_tree = std::make_shared<const Tree>();

  ShardedLru<FileKey, Tree, FileKeyHash, FileKeyEqual> trees;
  ShardedLru<FileKey, RangeFile, FileKeyHash, FileKeyEqual> files;
  ShardedLru<std::uint64_t, std::string, BlockNameHash> blocks;
  /// The names of the first blocks of files that were verified in this process.
  ShardedLru<FileKey, std::uint64_t, FileKeyHash, FileKeyEqual> verified;

  SingleFlight<Tree> tree_flights;
  SingleFlight<RangeFile> file_flights;
  std::atomic<std::uint64_t> names = 1;  // of blocks; 0 is none

  Impl(block::ObjectStore& objects, io::BlockingPool& pool_in, const CommittedConfig& config)
      : pool(pool_in),
        source(objects, pool, config),
        trees(config.memory_cache_bytes / 4, 1),
        files(config.memory_cache_bytes / 4, 4),
        blocks(config.memory_cache_bytes / 2, 8),
        verified(kVerifiedBytesMax, 4) {}

  /// Names the blocks that have no name yet, from `first` on.
  RangeFilePtr keep(RangeFile opened, std::uint64_t first) {
    auto& tags = opened.history.block_tags;
    tags.resize(opened.index.size(), 0);
    for (std::size_t i = 0; i < tags.size(); ++i) {
      if (tags[i] == 0) tags[i] = first + i;
    }
    const auto file = std::make_shared<const RangeFile>(std::move(opened));
    FileKey key{file->storage_namespace, file->id};
    files.put(key, file, memory_bytes_of(*file) + kVerifiedEntryBytes);
    verified.put(key, std::make_shared<const std::uint64_t>(first), kVerifiedEntryBytes);
    return file;
  }

  std::uint64_t new_names(const sst::TableIndex& index) { return names.fetch_add(index.size()); }

  Task<RangeFilePtr> open(Context& ctx, std::string storage_namespace, std::string id) {
    const auto named = verified.find(FileKeyView{storage_namespace, id});
    FileSource::Opened opened = co_await source.open_range(
        ctx, storage_namespace, id, named ? FileSource::Known::verified : FileSource::Known::no);
    const bool same = named && opened.before == FileSource::Known::verified;
    const std::uint64_t first = same ? *named : new_names(opened.index);
    co_return keep({.storage_namespace = std::move(storage_namespace),
                    .id = std::move(id),
                    .index = std::move(opened.index),
                    .history = {}},
                   first);
  }

  /// How many blocks from `first` one read fetches: contiguous, and within the span's bytes.
  static std::size_t span(const RangeFile& file, std::size_t first, std::size_t ahead) {
    const std::uint64_t origin = file.index.handle(first).offset;
    std::size_t count = 1;
    while (count <= ahead && first + count < file.index.size()) {
      const sst::BlockHandle before = file.index.handle(first + count - 1);
      const sst::BlockHandle next = file.index.handle(first + count);
      if (next.offset != before.offset + before.stored_bytes()) break;
      if (next.offset + next.stored_bytes() - origin > kSpanBytesMax) break;
      ++count;
    }
    return count;
  }

  static std::uint64_t memory_bytes_of_block(const BlockPtr& block) {
    constexpr std::uint64_t kOverheadBytes = 160;  // of the cache's own nodes
    return block->capacity() + kOverheadBytes;
  }

  void cache_block(const RangeFile& file, std::size_t index, const BlockPtr& block) {
    blocks.put(file.block_name(index), block, memory_bytes_of_block(block));
  }
};

RangeStore::RangeStore(block::ObjectStore& objects, io::BlockingPool& pool,
                       const CommittedConfig& config)
    : impl_(new Impl(objects, pool, config)) {}

RangeStore::~RangeStore() = default;

TreePtr RangeStore::find_tree(std::string_view storage_namespace, std::string_view id) {
  if (id.empty()) return impl_->empty_tree;
  return impl_->trees.find(FileKeyView{storage_namespace, id});
}

Task<TreePtr> RangeStore::tree(Context& ctx, std::string storage_namespace, std::string id) {
  if (!id.empty() && !is_table_id(id)) throw_missing_file("of that name");
  TreePtr tree = find_tree(storage_namespace, id);
  if (tree) co_return tree;
  auto turn = co_await impl_->tree_flights.enter(ctx, storage_namespace + '\0' + id);
  tree = turn.gate->result.lock();
  if (!tree) tree = find_tree(storage_namespace, id);
  if (!tree) {
    tree = co_await impl_->source.open_tree(ctx, storage_namespace, id);
    adopt_tree(storage_namespace, id, tree);
  }
  turn.gate->result = tree;
  co_return tree;
}

RangeFilePtr RangeStore::find_file(std::string_view storage_namespace, std::string_view id) {
  return impl_->files.find(FileKeyView{storage_namespace, id});
}

Task<RangeFilePtr> RangeStore::file(Context& ctx, std::string storage_namespace, std::string id) {
  if (!is_table_id(id)) throw_missing_file("of that name");
  RangeFilePtr file = find_file(storage_namespace, id);
  if (file) co_return file;
  auto turn = co_await impl_->file_flights.enter(ctx, storage_namespace + '\0' + id);
  file = turn.gate->result.lock();
  if (!file) file = find_file(storage_namespace, id);
  if (!file) file = co_await impl_->open(ctx, storage_namespace, id);
  turn.gate->result = file;
  co_return file;
}

BlockPtr RangeStore::find_block(const RangeFile& file, std::size_t index) {
  return impl_->blocks.find(file.block_name(index));
}

void RangeStore::offer_block(const RangeFile& file, std::size_t index, const BlockPtr& block) {
  impl_->blocks.offer(file.block_name(index), block, Impl::memory_bytes_of_block(block));
}

Task<BlockPtr> RangeStore::block(Context& ctx, RangeFilePtr file, std::size_t index,
                                 std::size_t ahead) {
  const std::size_t count = Impl::span(*file, index, ahead);
  const std::uint64_t origin = file->index.handle(index).offset;
  const sst::BlockHandle last = file->index.handle(index + count - 1);
  std::string bytes = co_await impl_->source.read(
      ctx, file->storage_namespace, file->id, origin,
      static_cast<std::size_t>(last.offset + last.stored_bytes() - origin));
  std::vector<BlockPtr> blocks;
  if (count <= kBlocksDecodedInline) {
    blocks = decode_span(*file, index, count, bytes);
  } else {
    blocks = co_await impl_->pool.run(ctx, [file, index, count, stored = std::move(bytes)] {
      return decode_span(*file, index, count, stored);
    });
  }
  // The wanted block last, so that it is the youngest.
  for (std::size_t i = count; i-- > 0;)
    impl_->cache_block(*file, index + i, blocks[i]);
  co_return blocks.front();
}

Task<RangeStore::StoredBlocks> RangeStore::stored_blocks(Context& ctx, RangeFilePtr file,
                                                         std::size_t first, std::size_t count) {
  TARN_ASSERT(count > 0);
  const std::size_t fetched = Impl::span(*file, first, count - 1);
  const std::uint64_t origin = file->index.handle(first).offset;
  const sst::BlockHandle last = file->index.handle(first + fetched - 1);
  std::string bytes = co_await impl_->source.read(
      ctx, file->storage_namespace, file->id, origin,
      static_cast<std::size_t>(last.offset + last.stored_bytes() - origin));
  co_return StoredBlocks{.bytes = std::move(bytes), .count = fetched};
}

Task<std::string> RangeStore::stored_prefix(Context& ctx, RangeFilePtr file, std::size_t count) {
  const sst::BlockHandle last = file->index.handle(count - 1);
  const sst::BlockHandle end = file->index.handle(file->index.size() - 1);
  std::string bytes = co_await impl_->source.read(
      ctx, file->storage_namespace, file->id, 0,
      static_cast<std::size_t>(last.offset + last.stored_bytes()),
      static_cast<std::size_t>(end.offset + end.stored_bytes()) + kPrefixSlackBytes);
  co_return bytes;
}

Task<> RangeStore::adopt_file(Context& ctx, std::string storage_namespace, std::string id,
                              std::shared_ptr<const std::string> bytes, sst::TableHistory history) {
  sst::TableIndex index = sst::TableIndex::parse(bytes->size(), *bytes);
  const std::uint64_t first = impl_->new_names(index);
  impl_->keep({.storage_namespace = storage_namespace,
               .id = id,
               .index = std::move(index),
               .history = std::move(history),
               .cut_here = true},
              first);
  co_await impl_->source.keep_on_disk(ctx, storage_namespace, id, std::move(bytes));
}

void RangeStore::adopt_tree(std::string_view storage_namespace, std::string_view id, TreePtr tree) {
  const std::uint64_t bytes = memory_bytes_of(*tree) + kVerifiedEntryBytes;
  impl_->trees.put(FileKey{std::string(storage_namespace), std::string(id)}, std::move(tree),
                   bytes);
}

block::ObjectRef RangeStore::object_of(std::string_view storage_namespace,
                                       std::string_view id) const {
  return impl_->source.ref(storage_namespace, id);
}

std::uint64_t RangeStore::memory_bytes() const {
  return impl_->trees.bytes() + impl_->files.bytes() + impl_->blocks.bytes();
}

}  // namespace tarn::versioning
