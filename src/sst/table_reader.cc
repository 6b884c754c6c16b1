#include "sst/table_reader.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/error.h"
#include "sst/table_id.h"
#include "sst/varint.h"

namespace tarn::sst {

namespace {

// Prefix compression lets a small hostile index unfold without end.
constexpr std::size_t kSeparatorBytesMax = 256 * 1024 * 1024;
constexpr std::string_view kFormatPrefix = "rocksdb.";

[[noreturn]] void throw_corrupt(const char* what) {
  throw Error(ErrorCode::corrupt, std::string("table file: ") + what);
}

/// The end of a file, addressed by file offsets.
struct Tail {
  std::uint64_t file_bytes;
  std::string_view bytes;

  std::uint64_t begin() const { return file_bytes - bytes.size(); }

  bool has(BlockHandle handle) const { return handle.offset >= begin(); }

  std::string_view stored(BlockHandle handle) const {
    TARN_ASSERT(has(handle));
    return bytes.substr(handle.offset - begin(), handle.stored_bytes());
  }
};

std::uint64_t data_limit(std::uint64_t file_bytes) {
  return file_bytes - kFooterBytes;
}

BlockHandle find_properties_block(const Tail& tail, const Footer& footer) {
  std::string scratch;
  BlockIterator names(decode_block(tail.stored(footer.metaindex), scratch), KeyForm::raw);
  if (!names.seek_ge(kPropertiesBlockName) || names.key() != kPropertiesBlockName) {
    throw_corrupt("no properties");
  }
  return parse_handle(names.value(), data_limit(tail.file_bytes));
}

bool is_two_level(const Properties& properties) {
  const auto type = properties.find(property::kIndexType);
  if (type == properties.end()) return false;
  if (type->second == std::string_view("\0\0\0\0", 4)) return false;
  if (type->second == std::string_view("\x02\0\0\0", 4)) return true;
  throw_corrupt("unknown index type");
}

std::vector<BlockHandle> parse_top_index(std::string_view payload, std::uint64_t limit) {
  std::vector<BlockHandle> partitions;
  for (BlockIterator entries(payload, KeyForm::internal); entries.next();)
    partitions.push_back(parse_handle(entries.value(), limit));
  return partitions;
}

}  // namespace

std::uint64_t tail_bytes_needed(std::uint64_t file_bytes, std::string_view tail_bytes) {
  const Tail tail{file_bytes, tail_bytes};
  const Footer footer = parse_footer(tail_bytes, file_bytes);
  const auto from = [&](BlockHandle handle) { return file_bytes - handle.offset; };
  // The properties come after the index in every file, but nothing says so to a hostile one.
  std::uint64_t needed = std::max(from(footer.metaindex), from(footer.index));
  if (needed > tail_bytes.size()) return needed;
  const BlockHandle properties_block = find_properties_block(tail, footer);
  needed = std::max(needed, from(properties_block));
  if (needed > tail_bytes.size()) return needed;
  std::string scratch;
  if (is_two_level(parse_properties(decode_block(tail.stored(properties_block), scratch)))) {
    const std::string_view top = decode_block(tail.stored(footer.index), scratch);
    for (const BlockHandle partition : parse_top_index(top, data_limit(file_bytes)))
      needed = std::max(needed, from(partition));
  }
  return needed;
}

TableIndex TableIndex::parse(std::uint64_t file_bytes, std::string_view tail_bytes) {
  const Tail tail{file_bytes, tail_bytes};
  if (tail_bytes_needed(file_bytes, tail_bytes) > tail_bytes.size()) throw_corrupt("cut short");
  const Footer footer = parse_footer(tail_bytes, file_bytes);
  const std::uint64_t limit = data_limit(file_bytes);
  std::string scratch;
  TableIndex index;
  Properties properties =
      parse_properties(decode_block(tail.stored(find_properties_block(tail, footer)), scratch));
  const std::string_view top = decode_block(tail.stored(footer.index), scratch);
  if (is_two_level(properties)) {
    std::string partition_scratch;
    for (const BlockHandle partition : parse_top_index(top, limit))
      index.add_index_block(decode_block(tail.stored(partition), partition_scratch), limit);
  } else {
    index.add_index_block(top, limit);
  }
  if (const auto entries = properties.find(property::kEntries); entries != properties.end()) {
    const std::string& text = entries->second;
    if (get_uvarint(text.data(), text.data() + text.size(), index.entries_) == nullptr) {
      index.entries_ = 0;
    }
  }
  const auto merge = properties.find(property::kMergeOperator);
  index.reusable_blocks_ = merge != properties.end() && merge->second == kReferenceMergeOperator;
  std::erase_if(properties, [](const auto& p) { return p.first.starts_with(kFormatPrefix); });
  index.properties_ = std::move(properties);
  index.blocks_.shrink_to_fit();
  index.separators_.shrink_to_fit();
  return index;
}

void TableIndex::add_index_block(std::string_view payload, std::uint64_t limit) {
  for (BlockIterator entries(payload, KeyForm::internal); entries.next();) {
    const BlockHandle handle = parse_handle(entries.value(), limit);
    if (handle.size > std::numeric_limits<std::uint32_t>::max()) throw_corrupt("huge block");
    if (entries.key().size() > kSeparatorBytesMax - separators_.size()) {
      throw_corrupt("huge index");
    }
    if (!blocks_.empty() && entries.key() <= separator(blocks_.size() - 1)) {
      throw_corrupt("unsorted index");
    }
    separators_.append(entries.key());
    blocks_.push_back({.offset = handle.offset & ~(1ULL << 63),
                       .separator_is_key = entries.trailer() == kSetTrailer,
                       .size = static_cast<std::uint32_t>(handle.size),
                       .separator_end = static_cast<std::uint32_t>(separators_.size())});
  }
}

std::optional<std::size_t> TableIndex::find(std::string_view key) const {
  std::size_t low = 0;
  std::size_t high = blocks_.size();
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (separator(middle) < key) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == blocks_.size()) return std::nullopt;
  return low;
}

std::string_view TableIndex::separator(std::size_t block) const {
  const std::size_t begin = block == 0 ? 0 : blocks_[block - 1].separator_end;
  return std::string_view(separators_).substr(begin, blocks_[block].separator_end - begin);
}

std::string_view TableIndex::property(std::string_view name) const {
  const auto found = properties_.find(name);
  return found == properties_.end() ? std::string_view() : found->second;
}

std::size_t TableIndex::memory_bytes() const {
  constexpr std::size_t kNodeBytes = 112;  // of a map of strings
  std::size_t size = sizeof *this + blocks_.capacity() * sizeof(Block) + separators_.capacity();
  for (const auto& [name, value] : properties_)
    size += kNodeBytes + name.size() + value.size();
  return size;
}

Properties parse_properties(std::string_view payload) {
  Properties properties;
  for (BlockIterator entries(payload, KeyForm::raw); entries.next();)
    properties.insert_or_assign(std::string(entries.key()), std::string(entries.value()));
  return properties;
}

Properties hashed_properties(const Properties& properties) {
  Properties hashed = properties;
  for (const std::string_view added :
       {property::kMinKey, property::kMaxKey, property::kCount, property::kEstimatedSize}) {
    if (const auto found = hashed.find(added); found != hashed.end()) hashed.erase(found);
  }
  std::erase_if(hashed, [](const auto& p) { return p.first.starts_with(kFormatPrefix); });
  return hashed;
}

TableView::TableView(std::string_view file)
    : file_(file), index_(TableIndex::parse(file.size(), file)) {}

std::string_view TableView::stored_block(std::size_t block) const {
  const BlockHandle handle = index_.handle(block);
  return file_.substr(handle.offset, handle.stored_bytes());
}

std::optional<std::string> TableView::find(std::string_view key) const {
  const auto block = index_.find(key);
  if (!block) return std::nullopt;
  std::string scratch;
  BlockIterator records(decode_block(stored_block(*block), scratch), KeyForm::record);
  if (!records.seek_ge(key) || records.key() != key) return std::nullopt;
  return std::string(records.value());
}

Properties TableView::all_properties() const {
  const Tail tail{file_.size(), file_};
  std::string scratch;
  const Footer footer = parse_footer(file_, file_.size());
  return parse_properties(decode_block(tail.stored(find_properties_block(tail, footer)), scratch));
}

bool TableView::Iterator::next() {
  while (!records_.next()) {
    if (next_block_ >= view_->index().size()) return false;
    open_block(next_block_);
  }
  return true;
}

bool TableView::Iterator::seek_ge(std::string_view key) {
  const auto block = view_->index().find(key);
  if (!block) {
    next_block_ = view_->index().size();
    records_ = {};
    return false;
  }
  open_block(*block);
  return records_.seek_ge(key) || next();
}

void TableView::Iterator::open_block(std::size_t block) {
  payload_ = decode_block(view_->stored_block(block), scratch_);
  records_ = BlockIterator(payload_, KeyForm::record);
  next_block_ = block + 1;
}

std::string compute_table_id(const TableView& view) {
  TableIdHasher hasher;
  std::string last;
  std::optional<std::size_t> block;
  for (TableView::Iterator records(view); records.next();) {
    if (block && records.key() <= last) throw_corrupt("unsorted records");
    if (block != records.block()) {
      block = records.block();
      BlockIterator(records.block_payload(), KeyForm::record).check_restarts();
      if (*block > 0 && records.key() <= view.index().separator(*block - 1)) {
        throw_corrupt("index misses records");
      }
    }
    last.assign(records.key());
    if (records.at_block_end() && last > view.index().separator(*block)) {
      throw_corrupt("index misses records");
    }
    hasher.add(records.key(), records.value());
  }
  return hasher.finish(hashed_properties(view.index().properties()));
}

}  // namespace tarn::sst
