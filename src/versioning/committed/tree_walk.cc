#include "versioning/committed/tree_walk.h"

#include <utility>

#include "versioning/committed/range_file.h"

namespace tarn::versioning {

TreeWalk::TreeWalk(RangeStore& store, std::string storage_namespace, MetaRangeId id)
    : store_(store),
      storage_namespace_(std::move(storage_namespace)),
      id_(std::move(id)),
      cursor_(store) {}

void TreeWalk::place_at_head() {
  at_ = range_ < tree_->ranges.size() ? At::head : At::end;
}

void TreeWalk::settle(RangeCursor::Outcome outcome) {
  switch (outcome) {
    case RangeCursor::Outcome::record: at_ = At::record; return;
    case RangeCursor::Outcome::end:
      ++range_;
      place_at_head();
      return;
    case RangeCursor::Outcome::stalled: at_ = At::stalled; return;
  }
}

bool TreeWalk::find_file() {
  if (cursor_range_ == range_) return true;
  RangeFilePtr file = store_.find_file(storage_namespace_, range().id);
  if (!file) return false;
  cursor_.reset(std::move(file));
  cursor_range_ = range_;
  return true;
}

void TreeWalk::enter() {
  if (!find_file()) {
    at_ = At::stalled;
    return;
  }
  settle(seeking_ ? cursor_.seek(seek_key_) : cursor_.first());
}

void TreeWalk::step() {
  if (at_ == At::record) {
    settle(cursor_.next());
  } else if (at_ == At::head) {
    seeking_ = false;
    enter();
  }
}

void TreeWalk::skip_range() {
  ++range_;
  place_at_head();
}

void TreeWalk::enter_block(std::size_t block) {
  settle(cursor_.enter_block(block));
}

void TreeWalk::skip_blocks(std::size_t count) {
  enter_block(cursor_.block_index() + count);
}

void TreeWalk::seek(std::string_view key) {
  seek_key_.assign(key);
  seeking_ = true;
  if (!tree_) return;  // load() goes on from here
  range_ = tree_->find(seek_key_);
  place_at_head();
  if (at_ == At::head && range().min_key < seek_key_) enter();
}

void TreeWalk::advance_to(std::string_view key) {
  if (at_ == At::stalled || at_ == At::end || low() >= key) return;
  if (at_ == At::record && key <= range().max_key) {
    settle(cursor_.advance(key));
  } else {
    seek(key);
  }
}

Task<> TreeWalk::load(Context& ctx) {
  if (!tree_) {
    tree_ = store_.find_tree(storage_namespace_, id_);
    if (!tree_) tree_ = co_await store_.tree(ctx, storage_namespace_, id_);
    if (seeking_) {
      seek(std::string(seek_key_));
    } else {
      place_at_head();
    }
  }
  while (at_ == At::stalled) {
    if (cursor_range_ != range_) {
      if (!find_file()) {
        cursor_.reset(co_await store_.file(ctx, storage_namespace_, range().id));
        cursor_range_ = range_;
      }
      enter();
    } else {
      co_await cursor_.load(ctx);
      settle(cursor_.resume());
    }
  }
}

std::size_t equal_blocks(const TreeWalk& a, const TreeWalk& b, std::size_t count_max) {
  if (!a.at_block() || !b.at_block()) return 0;
  const RangeCursor& left = a.cursor();
  const RangeCursor& right = b.cursor();
  const std::size_t known =
      equal_blocks(*left.file(), left.block_index(), *right.file(), right.block_index(), count_max);
  if (known > 0) return known;
  return left.block() == right.block() ? 1 : 0;
}

}  // namespace tarn::versioning
