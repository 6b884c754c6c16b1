#include "versioning/committed/block_copier.h"

#include <algorithm>

#include "io/sync.h"
#include "sst/table_format.h"
#include "versioning/committed/range_file.h"

namespace tarn::versioning {

namespace {

/// Fewer blocks are not worth a read of their own.
constexpr std::size_t kBlocksReadMin = 3;
constexpr std::size_t kBlocksReadMax = 256;
constexpr std::size_t kBlocksBetweenYields = 32;

}  // namespace

bool BlockCopier::holds(const RangeFile& file, std::size_t block) const {
  return file_.get() == &file && block >= first_ && block < first_ + fetched_.count;
}

bool BlockCopier::can_copy(const TreeWalk& walk, std::size_t count) const {
  if (refused_ || count == 0) return false;
  const RangeCursor& at = walk.cursor();
  if (count < kBlocksReadMin && !holds(*at.file(), at.block_index())) return false;
  return out_.takes_blocks_of(*at.file(), walk.record());
}

Task<> BlockCopier::fetch(Context& ctx, const RangeFilePtr& file, std::size_t block,
                          std::size_t count) {
  fetched_ = co_await store_.stored_blocks(ctx, file, block, std::min(count, kBlocksReadMax));
  file_ = file;
  first_ = block;
}

Task<std::size_t> BlockCopier::begin_alike(Context& ctx, RangeFilePtr file, std::size_t count) {
  const auto& checkpoints = file->history.checkpoints;
  const auto beyond = std::ranges::find_if(
      checkpoints, [count](const auto& checkpoint) { return checkpoint->blocks > count; });
  if (beyond == checkpoints.begin()) co_return 0;
  const auto checkpoint = static_cast<std::size_t>(beyond - checkpoints.begin()) - 1;
  const std::size_t blocks = checkpoints[checkpoint]->blocks;
  std::string stored = co_await store_.stored_prefix(ctx, file, blocks);
  out_.begin_range(*file, checkpoint, std::move(stored));
  co_return blocks;
}

Task<std::size_t> BlockCopier::copy(Context& ctx, const TreeWalk& walk, std::size_t count) {
  const RangeFilePtr file = walk.cursor().file();
  const std::size_t first = walk.cursor().block_index();
  const std::size_t end = std::min(first + count, file->index.size() - 1);
  std::size_t block = first;
  if (first == 0 && !out_.in_range()) block = co_await begin_alike(ctx, file, end);
  for (; block < end; ++block) {
    if (!holds(*file, block)) {
      // Beyond the end as well: the next run is likely to be near.
      co_await fetch(ctx, file, block, file->index.size() - block);
    }
    const std::uint64_t origin = file->index.handle(first_).offset;
    const sst::BlockHandle handle = file->index.handle(block);
    const std::string_view stored =
        std::string_view(fetched_.bytes).substr(handle.offset - origin, handle.stored_bytes());
    BlockPtr payload = store_.find_block(*file, block);
    if (payload) {
      sst::check_block(stored);
    } else {
      payload = std::make_shared<const std::string>(sst::decode_block(stored));
      store_.offer_block(*file, block, payload);
    }
    refused_ = !out_.append_block(*payload, stored, file->block_name(block));
    if (refused_) break;
    if (block % kBlocksBetweenYields == 0) co_await io::yield();
  }
  co_return block - first;
}

}  // namespace tarn::versioning
