#include "versioning/committed/range_store.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/format.h"
#include "io/sync.h"
#include "versioning/committed/disk_tier.h"
#include "versioning/committed/file_verifier.h"
#include "versioning/committed/lru.h"
#include "versioning/committed/range_file.h"
#include "versioning/committed/single_flight.h"

namespace tarn::versioning {

namespace {

constexpr std::uint64_t kTreeFileBytesMax = 256 << 20;
constexpr std::uint64_t kWholeFileBytesMax = 1 << 20;  // up to here one read fetches everything
constexpr std::uint64_t kTailBytesMin = 4096;
constexpr std::uint64_t kTailBytesMax = 256 << 20;
constexpr std::size_t kVerifyBatchBytes = 512 << 10;
constexpr std::size_t kSpanBytesMax = 256 << 10;  // fetched at once when reading ahead
constexpr std::size_t kBlocksDecodedInline = 4;
constexpr std::size_t kVerifiersMax = 4;
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
  using is_transparent = void;

  std::size_t operator()(FileKeyView key) const noexcept {
    return std::hash<std::string_view>{}(key.storage_namespace) * 31 +
           std::hash<std::string_view>{}(key.id);
  }
};

struct FileKeyEqual {
  using is_transparent = void;

  bool operator()(FileKeyView a, FileKeyView b) const noexcept {
    return a.id == b.id && a.storage_namespace == b.storage_namespace;
  }
};

struct BlockKey {
  std::uint64_t serial;
  std::uint64_t index;
  friend bool operator==(const BlockKey&, const BlockKey&) = default;
};

struct BlockKeyHash {
  std::size_t operator()(const BlockKey& key) const noexcept {
    return static_cast<std::size_t>(
        (key.serial * 0x9e3779b97f4a7c15ULL + key.index) * 0xff51afd7ed558ccdULL >> 17);
  }
};

std::uint64_t memory_bytes_of(const Tree& tree) {
  std::uint64_t sum = sizeof(Tree);
  for (const RangeInfo& range : tree.ranges)
    sum += sizeof(RangeInfo) + range.id.capacity() + range.min_key.capacity() +
           range.max_key.capacity();
  return sum;
}

/// What a verification on the pool works on, owned by its job as well.
struct Verification {
  explicit Verification(sst::TableIndex parsed) : index(std::move(parsed)), verifier(index) {}

  sst::TableIndex index;
  FileVerifier verifier;
  std::optional<DiskTier::Draft> draft;  // the copy for the disk tier

  void take_blocking(std::string_view bytes) {
    verifier.feed(bytes);
    if (draft) draft->write_blocking(bytes);
  }
};

using VerificationPtr = std::shared_ptr<Verification>;

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
  block::ObjectStore& objects;
  io::BlockingPool& pool;
  const std::string prefix;
  std::unique_ptr<DiskTier> disk;  // may be null
  const TreePtr empty_tree = std::make_shared<const Tree>();

  ShardedLru<FileKey, Tree, FileKeyHash, FileKeyEqual> trees;
  ShardedLru<FileKey, RangeFile, FileKeyHash, FileKeyEqual> files;
  ShardedLru<BlockKey, std::string, BlockKeyHash> blocks;
  /// Serials of files that were verified in this process.
  ShardedLru<FileKey, std::uint64_t, FileKeyHash, FileKeyEqual> verified;

  SingleFlight<Tree> tree_flights;
  SingleFlight<RangeFile> file_flights;
  io::Semaphore verifiers{kVerifiersMax};
  std::atomic<std::uint64_t> serials = 0;

  Impl(block::ObjectStore& objects_in, io::BlockingPool& pool_in, const CommittedConfig& config)
      : objects(objects_in),
        pool(pool_in),
        prefix(config.block_storage_prefix),
        trees(config.memory_cache_bytes / 4, 1),
        files(config.memory_cache_bytes / 4, 4),
        blocks(config.memory_cache_bytes / 2, 8),
        verified(kVerifiedBytesMax, 4) {
    if (!config.disk_cache_dir.empty()) {
      disk = DiskTier::open_blocking(config.disk_cache_dir, config.disk_cache_bytes);
    }
  }

  block::ObjectRef ref(std::string_view storage_namespace, std::string_view id) const {
    return {.storage_namespace = std::string(storage_namespace),
            .address = format("{}/{}", prefix, id),
            .type = block::AddressType::relative};
  }

  RangeFilePtr keep(std::uint64_t serial, std::string storage_namespace, std::string id,
                    sst::TableIndex index) {
    auto file = std::make_shared<const RangeFile>(serial, std::move(storage_namespace),
                                                  std::move(id), std::move(index));
    FileKey key{file->storage_namespace, file->id};
    files.put(key, file, file->index.memory_bytes() + sizeof(RangeFile) + kVerifiedEntryBytes);
    verified.put(key, std::make_shared<const std::uint64_t>(serial), kVerifiedEntryBytes);
    return file;
  }

  // --- bytes -----------------------------------------------------------------------------------

  [[noreturn]] static void throw_missing(std::string_view id) {
    throw Error(ErrorCode::data_missing, format("range file {} is missing", id));
  }

  Task<std::uint64_t> stored_size(Context& ctx, const block::ObjectRef& ref, std::string_view id) {
    const auto info = co_await objects.head(ctx, ref);
    if (!info) throw_missing(id);
    co_return info->size;
  }

  /// Exactly `bytes` bytes from `offset`, from disk if they are there.
  Task<std::string> read(Context& ctx, const std::string& storage_namespace, const std::string& id,
                         std::uint64_t offset, std::size_t bytes) {
    if (disk) {
      const std::string name = DiskTier::name_of(storage_namespace, id);
      if (disk->contains(name)) {
        auto found = co_await pool.run(ctx, [tier = disk.get(), name, offset, bytes] {
          return tier->read_blocking(name, offset, bytes);
        });
        if (found) co_return *std::move(found);
      }
    }
    if (bytes == 0) co_return std::string();
    const block::ByteRange range{.first = offset, .last = offset + bytes - 1};
    const auto source = co_await objects.get(ctx, ref(storage_namespace, id), range);
    if (!source) throw_missing(id);
    std::string out = co_await io::read_all(ctx, *source, bytes);
    if (out.size() != bytes)
      throw Error(ErrorCode::corrupt, format("range file {}: cut short", id));
    co_return out;
  }

  /// The parsed index of a file of `file_bytes` bytes, from its last bytes.
  Task<sst::TableIndex> read_index(Context& ctx, const std::string& storage_namespace,
                                   const std::string& id, std::uint64_t file_bytes) {
    std::uint64_t wanted = std::min(file_bytes, std::max(kTailBytesMin, file_bytes / 64));
    while (true) {
      const std::string tail =
          co_await read(ctx, storage_namespace, id, file_bytes - wanted, wanted);
      const std::uint64_t needed = sst::tail_bytes_needed(file_bytes, tail);
      if (needed <= tail.size()) co_return sst::TableIndex::parse(file_bytes, tail);
      if (needed > kTailBytesMax || needed > file_bytes) {
        throw Error(ErrorCode::corrupt, format("range file {}: huge index", id));
      }
      wanted = needed;
    }
  }

  // --- ranges ----------------------------------------------------------------------------------

  Task<RangeFilePtr> open(Context& ctx, std::string storage_namespace, std::string id) {
    const std::string name = disk ? DiskTier::name_of(storage_namespace, id) : std::string();
    const auto on_disk = disk ? disk->size(name) : std::nullopt;
    const auto serial = verified.find(FileKeyView{storage_namespace, id});
    if (serial && (!disk || on_disk)) {
      const std::uint64_t bytes =
          on_disk ? *on_disk : co_await stored_size(ctx, ref(storage_namespace, id), id);
      sst::TableIndex index = co_await read_index(ctx, storage_namespace, id, bytes);
      co_return keep(*serial, std::move(storage_namespace), std::move(id), std::move(index));
    }
    if (on_disk) {
      RangeFilePtr file = co_await adopt_from_disk(ctx, storage_namespace, id, name, *on_disk);
      if (file) co_return file;
    }
    co_return co_await fetch(ctx, std::move(storage_namespace), std::move(id), name);
  }

  /// A file a former process left: if it does not verify it goes, and the result is null.
  Task<RangeFilePtr> adopt_from_disk(Context& ctx, const std::string& storage_namespace,
                                     const std::string& id, const std::string& name,
                                     std::uint64_t bytes) {
    auto index = co_await pool.run(
        ctx, [tier = disk.get(), name, id, bytes]() -> std::optional<sst::TableIndex> {
          return verify_on_disk_blocking(*tier, name, id, bytes);
        });
    if (!index) co_return nullptr;
    co_return keep(++serials, storage_namespace, id, *std::move(index));
  }

  static std::optional<sst::TableIndex> verify_on_disk_blocking(DiskTier& tier,
                                                                const std::string& name,
                                                                const std::string& id,
                                                                std::uint64_t bytes) {
    try {
      const auto file = bytes <= kTailBytesMax
                            ? tier.read_blocking(name, 0, static_cast<std::size_t>(bytes))
                            : std::nullopt;
      if (file && file->size() >= sst::kFooterBytes) {
        Verification check(sst::TableIndex::parse(bytes, *file));
        check.verifier.feed(*file);
        check.verifier.finish(id);
        return std::move(check.index);
      }
    } catch (const Error& error) {
      if (error.code() != ErrorCode::corrupt) throw;
    }
    tier.drop_blocking(name);
    return std::nullopt;
  }

  /// From the object store, verified, and on the way into the disk tier.
  Task<RangeFilePtr> fetch(Context& ctx, std::string storage_namespace, std::string id,
                           std::string name) {
    const io::Semaphore::Permit permit = co_await verifiers.acquire(ctx);
    const block::ObjectRef from = ref(storage_namespace, id);
    const std::uint64_t bytes = co_await stored_size(ctx, from, id);
    if (bytes < sst::kFooterBytes) {
      throw Error(ErrorCode::corrupt, format("range file {}: cut short", id));
    }
    VerificationPtr check;
    std::string whole;
    if (bytes <= kWholeFileBytesMax) {
      whole = co_await read(ctx, storage_namespace, id, 0, static_cast<std::size_t>(bytes));
      check = std::make_shared<Verification>(sst::TableIndex::parse(bytes, whole));
    } else {
      check =
          std::make_shared<Verification>(co_await read_index(ctx, storage_namespace, id, bytes));
    }
    if (disk) {
      check->draft.emplace(co_await pool.run(
          ctx, [tier = disk.get(), name] { return tier->create_blocking(name); }));
    }
    if (whole.empty()) {
      const auto source = co_await objects.get(ctx, from);
      if (!source) throw_missing(id);
      co_await feed(ctx, check, *source);
    } else {
      co_await feed_batch(ctx, check, std::move(whole));
    }
    co_await pool.run(ctx, [check, id, tier = disk.get()] {
      check->verifier.finish(id);
      if (check->draft) tier->keep_blocking(std::move(*check->draft));
    });
    co_return keep(++serials, std::move(storage_namespace), std::move(id), std::move(check->index));
  }

  Task<> feed(Context& ctx, const VerificationPtr& check, io::ByteSource& source) {
    std::string batch;
    while (true) {
      const std::string_view piece = co_await source.read(ctx);
      batch.append(piece);
      if (piece.empty() || batch.size() >= kVerifyBatchBytes) {
        co_await feed_batch(ctx, check, std::exchange(batch, {}));
      }
      if (piece.empty()) co_return;
    }
  }

  Task<> feed_batch(Context& ctx, VerificationPtr check, std::string batch) {
    return pool.run(
        ctx, [check = std::move(check), bytes = std::move(batch)] { check->take_blocking(bytes); });
  }

  // --- blocks ----------------------------------------------------------------------------------

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

  void cache_block(const RangeFile& file, std::size_t index, const BlockPtr& block) {
    constexpr std::uint64_t kOverheadBytes = 160;  // of the cache's own nodes
    blocks.put({file.serial, index}, block, block->capacity() + kOverheadBytes);
  }

  // --- trees -----------------------------------------------------------------------------------

  Task<TreePtr> open_tree(Context& ctx, std::string storage_namespace, std::string id) {
    const block::ObjectRef from = ref(storage_namespace, id);
    const std::string name = disk ? DiskTier::name_of(storage_namespace, id) : std::string();
    if (const auto bytes = disk ? disk->size(name) : std::nullopt) {
      TreePtr tree = co_await pool.run(ctx, [tier = disk.get(), name, id, size = *bytes] {
        return tree_from_disk_blocking(*tier, name, id, size);
      });
      if (tree) co_return tree;
    }
    const auto source = co_await objects.get(ctx, from);
    if (!source) throw_missing(id);
    std::string bytes = co_await io::read_all(ctx, *source, kTreeFileBytesMax);
    co_return co_await pool.run(ctx, [tier = disk.get(), name, id, file = std::move(bytes)] {
      TreePtr tree = parse_tree(file, id);
      if (tier != nullptr) {
        DiskTier::Draft draft = tier->create_blocking(name);
        draft.write_blocking(file);
        tier->keep_blocking(std::move(draft));
      }
      return tree;
    });
  }

  static TreePtr tree_from_disk_blocking(DiskTier& tier, const std::string& name,
                                         const std::string& id, std::uint64_t bytes) {
    try {
      const auto file = bytes <= kTreeFileBytesMax
                            ? tier.read_blocking(name, 0, static_cast<std::size_t>(bytes))
                            : std::nullopt;
      if (file) return parse_tree(*file, id);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::corrupt) throw;
    }
    tier.drop_blocking(name);
    return nullptr;
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
  if (!id.empty() && !is_table_id(id)) Impl::throw_missing("of that name");
  TreePtr tree = find_tree(storage_namespace, id);
  if (tree) co_return tree;
  auto turn = co_await impl_->tree_flights.enter(ctx, storage_namespace + '\0' + id);
  tree = turn.gate->result.lock();
  if (!tree) tree = find_tree(storage_namespace, id);
  if (!tree) {
    tree = co_await impl_->open_tree(ctx, storage_namespace, id);
    adopt_tree(storage_namespace, id, tree);
  }
  turn.gate->result = tree;
  co_return tree;
}

RangeFilePtr RangeStore::find_file(std::string_view storage_namespace, std::string_view id) {
  return impl_->files.find(FileKeyView{storage_namespace, id});
}

Task<RangeFilePtr> RangeStore::file(Context& ctx, std::string storage_namespace, std::string id) {
  if (!is_table_id(id)) Impl::throw_missing("of that name");
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
  return impl_->blocks.find(BlockKey{file.serial, index});
}

Task<BlockPtr> RangeStore::block(Context& ctx, RangeFilePtr file, std::size_t index,
                                 std::size_t ahead) {
  const std::size_t count = Impl::span(*file, index, ahead);
  const std::uint64_t origin = file->index.handle(index).offset;
  const sst::BlockHandle last = file->index.handle(index + count - 1);
  std::string bytes =
      co_await impl_->read(ctx, file->storage_namespace, file->id, origin,
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

Task<> RangeStore::adopt_file(Context& ctx, std::string storage_namespace, std::string id,
                              std::shared_ptr<const std::string> bytes) {
  impl_->keep(++impl_->serials, storage_namespace, id,
              sst::TableIndex::parse(bytes->size(), *bytes));
  if (!impl_->disk) co_return;
  co_await impl_->pool.run(
      ctx, [tier = impl_->disk.get(), bytes, name = DiskTier::name_of(storage_namespace, id)] {
        DiskTier::Draft draft = tier->create_blocking(name);
        draft.write_blocking(*bytes);
        tier->keep_blocking(std::move(draft));
      });
}

void RangeStore::adopt_tree(std::string_view storage_namespace, std::string_view id, TreePtr tree) {
  const std::uint64_t bytes = memory_bytes_of(*tree) + kVerifiedEntryBytes;
  impl_->trees.put(FileKey{std::string(storage_namespace), std::string(id)}, std::move(tree),
                   bytes);
}

block::ObjectRef RangeStore::object_of(std::string_view storage_namespace,
                                       std::string_view id) const {
  return impl_->ref(storage_namespace, id);
}

std::uint64_t RangeStore::memory_bytes() const {
  return impl_->trees.bytes() + impl_->files.bytes() + impl_->blocks.bytes();
}

}  // namespace tarn::versioning
