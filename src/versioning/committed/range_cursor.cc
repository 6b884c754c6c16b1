#include "versioning/committed/range_cursor.h"

#include <algorithm>
#include <utility>

#include "sst/value.h"
#include "versioning/committed/range_file.h"

namespace tarn::versioning {

namespace {

constexpr std::size_t kBlocksAheadMax = 64;
constexpr std::size_t kShortJumpBlocks = 16;
// Closer than this a record is cheaper to reach by walking than by a search in the block.
constexpr int kNearRecords = 4;

}  // namespace

void RangeCursor::reset(RangeFilePtr file) {
  file_ = std::move(file);
  iterator_ = {};
  block_.reset();
  fetched_.reset();
  ahead_ = 0;
}

RangeCursor::Outcome RangeCursor::first() {
  seeking_ = false;
  return enter(0);
}

RangeCursor::Outcome RangeCursor::next() {
  at_block_start_ = false;
  if (iterator_.next()) return settle();
  seeking_ = false;
  ahead_ = std::min(2 * ahead_ + 1, kBlocksAheadMax);
  return enter(block_index_ + 1);
}

RangeCursor::Outcome RangeCursor::seek(std::string_view key) {
  const auto block = file_->index.find(key);
  if (!block) return Outcome::end;
  seeking_ = true;
  seek_key_.assign(key);
  if (*block != block_index_ + 1) ahead_ = 0;
  return enter(*block);
}

RangeCursor::Outcome RangeCursor::enter_block(std::size_t block) {
  // Reading ahead goes on over short jumps only.
  if (block < block_index_ || block - block_index_ > kShortJumpBlocks) ahead_ = 0;
  seeking_ = false;
  return enter(block);
}

RangeCursor::Outcome RangeCursor::advance(std::string_view key) {
  at_block_start_ = false;
  for (int near = 0; near < kNearRecords; ++near) {
    if (iterator_.at_end()) break;
    iterator_.next();
    if (iterator_.key() >= key) return settle();
  }
  if (block_ && key <= file_->index.separator(block_index_)) {
    if (iterator_.seek_ge(key)) return settle();
    seeking_ = false;
    return enter(block_index_ + 1);
  }
  return seek(key);
}

RangeCursor::Outcome RangeCursor::enter(std::size_t block) {
  for (block_index_ = block; block_index_ < file_->index.size(); ++block_index_) {
    BlockPtr found = store_.find_block(*file_, block_index_);
    if (!found) return Outcome::stalled;
    if (open(std::move(found))) return settle();
  }
  return Outcome::end;
}

bool RangeCursor::open(BlockPtr block) {
  block_ = std::move(block);
  iterator_ = sst::BlockIterator(*block_, sst::KeyForm::record);
  // The separator may lie between the last record here and the sought key: then on to the next.
  at_block_start_ = !std::exchange(seeking_, false);
  return at_block_start_ ? iterator_.next() : iterator_.seek_ge(seek_key_);
}

RangeCursor::Outcome RangeCursor::settle() {
  record_.key = iterator_.key();
  const sst::ValueView value = sst::decode_value(iterator_.value());
  record_.identity = value.identity;
  record_.data = value.data;
  return Outcome::record;
}

Task<> RangeCursor::load(Context& ctx) {
  fetched_ = co_await store_.block(ctx, file_, block_index_, ahead_);
}

RangeCursor::Outcome RangeCursor::resume() {
  return open(std::exchange(fetched_, nullptr)) ? settle() : enter(block_index_ + 1);
}

}  // namespace tarn::versioning
