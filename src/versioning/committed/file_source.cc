#include "versioning/committed/file_source.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/format.h"
#include "io/sync.h"
#include "versioning/committed/disk_tier.h"
#include "versioning/committed/file_verifier.h"

namespace tarn::versioning {

namespace {

constexpr std::uint64_t kTreeFileBytesMax = 256 << 20;
constexpr std::uint64_t kWholeFileBytesMax = 1 << 20;  // up to here one read fetches everything
constexpr std::uint64_t kTailBytesMin = 4096;
constexpr std::uint64_t kTailBytesMax = 256 << 20;
constexpr std::size_t kVerifyBatchBytes = 512 << 10;
constexpr std::size_t kVerifiersMax = 4;

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

}  // namespace

void throw_missing_file(std::string_view id) {
  throw Error(ErrorCode::data_missing, format("range file {} is missing", id));
}

struct FileSource::Impl {
  Impl(block::ObjectStore& objects_in, io::BlockingPool& pool_in, const CommittedConfig& config)
      : objects(objects_in), pool(pool_in), prefix(config.block_storage_prefix) {
    if (!config.disk_cache_dir.empty()) {
      disk = DiskTier::open_blocking(config.disk_cache_dir, config.disk_cache_bytes);
    }
  }

  block::ObjectRef ref(std::string_view storage_namespace, std::string_view id) const {
    return {.storage_namespace = std::string(storage_namespace),
            .address = format("{}/{}", prefix, id),
            .type = block::AddressType::relative};
  }

  Task<std::uint64_t> stored_size(Context& ctx, const block::ObjectRef& ref, std::string_view id) {
    const auto info = co_await objects.head(ctx, ref);
    if (!info) throw_missing_file(id);
    co_return info->size;
  }

  /// Exactly `bytes` bytes from `offset`, from disk if they are there.
  Task<std::string> read(Context& ctx, const std::string& storage_namespace, const std::string& id,
                         std::uint64_t offset, std::size_t bytes, std::size_t room) {
    if (disk) {
      const std::string name = DiskTier::name_of(storage_namespace, id);
      if (disk->contains(name)) {
        auto found = co_await pool.run(ctx, [tier = disk.get(), name, offset, bytes, room] {
          return tier->read_blocking(name, offset, bytes, room);
        });
        if (found) co_return *std::move(found);
      }
    }
    if (bytes == 0) co_return std::string();
    const block::ByteRange range{.first = offset, .last = offset + bytes - 1};
    const auto source = co_await objects.get(ctx, ref(storage_namespace, id), range);
    if (!source) throw_missing_file(id);
    std::string out;
    if (room <= bytes) {
      out = co_await io::read_all(ctx, *source, bytes);
    } else {
      out.reserve(room);
      for (std::string_view piece = co_await source->read(ctx); !piece.empty();
           piece = co_await source->read(ctx))
        out.append(piece);
    }
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
          co_await read(ctx, storage_namespace, id, file_bytes - wanted, wanted, 0);
      const std::uint64_t needed = sst::tail_bytes_needed(file_bytes, tail);
      if (needed <= tail.size()) co_return sst::TableIndex::parse(file_bytes, tail);
      if (needed > kTailBytesMax || needed > file_bytes) {
        throw Error(ErrorCode::corrupt, format("range file {}: huge index", id));
      }
      wanted = needed;
    }
  }

  Task<Opened> open_range(Context& ctx, const std::string& storage_namespace, const std::string& id,
                          Known known) {
    const std::string name = disk ? DiskTier::name_of(storage_namespace, id) : std::string();
    const auto on_disk = disk ? disk->size(name) : std::nullopt;
    if (known == Known::verified && (!disk || on_disk)) {
      const std::uint64_t bytes =
          on_disk ? *on_disk : co_await stored_size(ctx, ref(storage_namespace, id), id);
      co_return Opened{.index = co_await read_index(ctx, storage_namespace, id, bytes),
                       .before = Known::verified};
    }
    if (on_disk) {
      auto index = co_await pool.run(ctx, [tier = disk.get(), name, id, bytes = *on_disk] {
        return verify_on_disk_blocking(*tier, name, id, bytes);
      });
      if (index) co_return Opened{.index = *std::move(index), .before = Known::no};
    }
    co_return Opened{.index = co_await fetch(ctx, storage_namespace, id, name),
                     .before = Known::no};
  }

  /// A file a former process left: if it does not verify it goes.
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
  Task<sst::TableIndex> fetch(Context& ctx, const std::string& storage_namespace,
                              const std::string& id, const std::string& name) {
    const io::Semaphore::Permit permit = co_await verifiers.acquire(ctx);
    const block::ObjectRef from = ref(storage_namespace, id);
    const std::uint64_t bytes = co_await stored_size(ctx, from, id);
    if (bytes < sst::kFooterBytes) {
      throw Error(ErrorCode::corrupt, format("range file {}: cut short", id));
    }
    VerificationPtr check;
    std::string whole;
    if (bytes <= kWholeFileBytesMax) {
      whole = co_await read(ctx, storage_namespace, id, 0, static_cast<std::size_t>(bytes), 0);
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
      if (!source) throw_missing_file(id);
      co_await feed(ctx, check, *source);
    } else {
      co_await feed_batch(ctx, check, std::move(whole));
    }
    co_await pool.run(ctx, [check, id, tier = disk.get()] {
      check->verifier.finish(id);
      if (check->draft) tier->keep_blocking(std::move(*check->draft));
    });
    co_return std::move(check->index);
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

  Task<TreePtr> open_tree(Context& ctx, const std::string& storage_namespace,
                          const std::string& id) {
    const block::ObjectRef from = ref(storage_namespace, id);
    const std::string name = disk ? DiskTier::name_of(storage_namespace, id) : std::string();
    if (const auto bytes = disk ? disk->size(name) : std::nullopt) {
      TreePtr tree = co_await pool.run(ctx, [tier = disk.get(), name, id, size = *bytes] {
        return tree_from_disk_blocking(*tier, name, id, size);
      });
      if (tree) co_return tree;
    }
    const auto source = co_await objects.get(ctx, from);
    if (!source) throw_missing_file(id);
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

  block::ObjectStore& objects;
  io::BlockingPool& pool;
  const std::string prefix;
  std::unique_ptr<DiskTier> disk;  // may be null
  io::Semaphore verifiers{kVerifiersMax};
};

FileSource::FileSource(block::ObjectStore& objects, io::BlockingPool& pool,
                       const CommittedConfig& config)
    : impl_(new Impl(objects, pool, config)) {}

FileSource::~FileSource() = default;

block::ObjectRef FileSource::ref(std::string_view storage_namespace, std::string_view id) const {
  return impl_->ref(storage_namespace, id);
}

Task<FileSource::Opened> FileSource::open_range(Context& ctx, const std::string& storage_namespace,
                                                const std::string& id, Known known) {
  return impl_->open_range(ctx, storage_namespace, id, known);
}

Task<TreePtr> FileSource::open_tree(Context& ctx, const std::string& storage_namespace,
                                    const std::string& id) {
  return impl_->open_tree(ctx, storage_namespace, id);
}

Task<std::string> FileSource::read(Context& ctx, const std::string& storage_namespace,
                                   const std::string& id, std::uint64_t offset, std::size_t bytes,
                                   std::size_t room) {
  return impl_->read(ctx, storage_namespace, id, offset, bytes, room);
}

Task<> FileSource::keep_on_disk(Context& ctx, const std::string& storage_namespace,
                                const std::string& id, std::shared_ptr<const std::string> bytes) {
  if (!impl_->disk) co_return;
  co_await impl_->pool.run(ctx, [tier = impl_->disk.get(), bytes = std::move(bytes),
                                 name = DiskTier::name_of(storage_namespace, id)] {
    DiskTier::Draft draft = tier->create_blocking(name);
    draft.write_blocking(*bytes);
    tier->keep_blocking(std::move(draft));
  });
}

}  // namespace tarn::versioning
