#include "versioning/committed/file_verifier.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/error.h"
#include "base/format.h"
#include "sst/value.h"

namespace tarn::versioning {

namespace {

[[noreturn]] void throw_corrupt(std::string_view what) {
  throw Error(ErrorCode::corrupt, format("range file: {}", what));
}

RangeInfo parse_range(std::string_view key, std::string_view stored) {
  const sst::ValueView value = sst::decode_value(stored);
  sst::RangeData data = sst::decode_range_data(value.data);
  if (!is_table_id(value.identity)) throw_corrupt("malformed range id in a metarange");
  if (data.max_key != key || data.min_key > data.max_key || data.count < 0) {
    throw_corrupt("inconsistent range in a metarange");
  }
  return {.id = std::string(value.identity),
          .min_key = std::move(data.min_key),
          .max_key = std::move(data.max_key),
          .estimated_size = data.estimated_size,
          .count = data.count};
}

}  // namespace

bool is_table_id(std::string_view id) {
  return id.size() == 64 && std::ranges::all_of(id, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

void FileVerifier::feed(std::string_view bytes) {
  pending_.append(bytes);
  while (take_block()) {
  }
}

bool FileVerifier::take_block() {
  if (next_block_ == index_.size()) {
    pending_offset_ += pending_.size();
    pending_.clear();
    return false;
  }
  const sst::BlockHandle handle = index_.handle(next_block_);
  if (handle.offset < pending_offset_) throw_corrupt("blocks out of order");
  const std::uint64_t skipped =
      std::min<std::uint64_t>(handle.offset - pending_offset_, pending_.size());
  if (handle.offset - pending_offset_ + handle.stored_bytes() > pending_.size()) {
    pending_.erase(0, skipped);
    pending_offset_ += skipped;
    return false;
  }
  const std::string_view stored = std::string_view(pending_).substr(skipped, handle.stored_bytes());
  sst::BlockIterator records(sst::decode_block(stored, scratch_), sst::KeyForm::record);
  records.check_restarts();
  const std::size_t block = next_block_;
  while (records.next()) {
    if (any_ && records.key() <= last_key_) throw_corrupt("unsorted records");
    if (block > 0 && records.key() <= index_.separator(block - 1)) {
      throw_corrupt("index misses records");
    }
    any_ = true;
    last_key_.assign(records.key());
    hasher_.add(records.key(), records.value());
  }
  if (any_ && last_key_ > index_.separator(block)) throw_corrupt("index misses records");
  pending_.erase(0, skipped + handle.stored_bytes());
  pending_offset_ = handle.offset + handle.stored_bytes();
  ++next_block_;
  return true;
}

void FileVerifier::finish(std::string_view expected) {
  if (next_block_ != index_.size()) throw_corrupt("cut short");
  if (hasher_.finish(sst::hashed_properties(index_.properties())) != expected) {
    throw_corrupt(format("the content of {} does not have that id", expected));
  }
}

TreePtr parse_tree(std::string_view file, std::string_view expected_id) {
  const sst::TableView view(file);
  if (sst::compute_table_id(view) != expected_id) {
    throw_corrupt(format("the content of {} does not have that id", expected_id));
  }
  if (view.index().property(sst::property::kType) != sst::kTypeMetaranges) {
    throw_corrupt(format("{} is not a metarange", expected_id));
  }
  auto tree = std::make_shared<Tree>();
  sst::TableView::Iterator records(view);
  while (records.next()) {
    RangeInfo range = parse_range(records.key(), records.value());
    if (!tree->ranges.empty() && range.min_key <= tree->ranges.back().max_key) {
      throw_corrupt("overlapping ranges in a metarange");
    }
    tree->ranges.push_back(std::move(range));
  }
  return tree;
}

}  // namespace tarn::versioning
