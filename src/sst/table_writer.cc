#include "sst/table_writer.h"

#include <limits>
#include <utility>

#include "base/error.h"
#include "sst/separator.h"
#include "sst/varint.h"

namespace tarn::sst {

namespace {

constexpr std::uint32_t kDataRestartInterval = 16;
constexpr std::uint32_t kOneRestart = std::numeric_limits<std::uint32_t>::max();
// The index cut rule reckons with this length for every handle, whatever it is.
constexpr std::size_t kIndexValueBytes = 20;
constexpr std::size_t kSinkBytes = 256 * 1024;
/// A file that has grown so large gets room for the largest usual one: what is not written to costs
/// nothing, growing by doubling touches twice the memory.
constexpr std::size_t kLargeBytes = 512 * 1024;
constexpr std::size_t kLargeRoomBytes = 24 * 1024 * 1024;
constexpr std::uint64_t kCheckpointBytes = 256 * 1024;  // of keys and values between two
constexpr std::string_view kEmptyTableSeparator{"\xff\0\0\0\0\0\0\0", kTrailerBytes};

std::string uvarint(std::uint64_t value) {
  std::string out;
  append_uvarint(out, value);
  return out;
}

std::string le32(std::uint32_t value) {
  std::string out;
  append_le32(out, value);
  return out;
}

// What every file says alike.
void add_constant_properties(Properties& all) {
  all["rocksdb.block.based.table.prefix.filtering"] = "0";
  all["rocksdb.block.based.table.whole.key.filtering"] = "0";
  all["rocksdb.column.family.id"] = uvarint(std::numeric_limits<std::int32_t>::max());
  all["rocksdb.comparator"] = "leveldb.BytewiseComparator";
  all["rocksdb.compression"] = "Snappy";
  all["rocksdb.compression_options"] =
      "window_bits=-14; level=32767; strategy=0; max_dict_bytes=0; zstd_max_train_bytes=0; "
      "enabled=0; ";
  for (const char* zero :
       {"rocksdb.creation.time", "rocksdb.filter.size", "rocksdb.fixed.key.length",
        "rocksdb.format.version", "rocksdb.index.key.is.user.key",
        "rocksdb.index.value.is.delta.encoded", "rocksdb.deleted.keys", "rocksdb.merge.operands",
        "rocksdb.num.range-deletions", "rocksdb.oldest.key.time"}) {
    all[zero] = uvarint(0);
  }
  all["rocksdb.external_sst_file.version"] = le32(2);
  all["rocksdb.external_sst_file.global_seqno"] = std::string(8, '\0');
  all[std::string(property::kMergeOperator)] = kReferenceMergeOperator;
  all["rocksdb.prefix.extractor.name"] = "nullptr";
  all["rocksdb.property.collectors"] = "[static]";
}

}  // namespace

TableOptions ranges_table() {
  return {.properties = {{std::string(property::kType), std::string(kTypeRanges)}}};
}

TableOptions metaranges_table() {
  return {.properties = {{std::string(property::kType), std::string(kTypeMetaranges)}}};
}

TableWriter::TableWriter(TableOptions options)
    : options_(std::move(options)), data_(kDataRestartInterval), index_(1) {}

void TableWriter::add(std::string_view key, std::string_view value) {
  std::size_t shared = 0;
  if (count_ > 0) {
    shared = common_prefix(max_key_, key);
    const bool extends = shared == max_key_.size();
    if (shared == key.size() || (!extends && static_cast<unsigned char>(max_key_[shared]) >
                                                 static_cast<unsigned char>(key[shared]))) {
      throw Error(ErrorCode::invalid_argument, "unsorted keys");
    }
    if (begins_block(key, value.size())) {
      make_separator(max_key_, key, separator_);
      finish_data_block(separator_);
    } else if (extends) {
      // Prefixes are shared between internal keys: the old key's trailer may match, too.
      shared += common_prefix(kSetTrailer, key.substr(shared));
    }
  } else {
    min_key_ = key;
  }
  stored_data_.clear();
  data_.add(key, kSetTrailer, shared, value);
  id_hasher_.add(key, value);
  max_key_.assign(key);
  ++count_;
  raw_key_bytes_ += key.size() + kTrailerBytes;
  raw_value_bytes_ += value.size();
}

void TableWriter::offer_stored_block(std::string_view payload, std::string_view stored) {
  if (data_.equals(payload)) stored_data_.assign(stored);
}

bool TableWriter::begins_block(std::string_view key, std::size_t value_bytes) const {
  return count_ == 0 || data_.is_full_for(key.size() + kTrailerBytes, value_bytes);
}

void TableWriter::add_stored_block(std::string_view payload, std::string_view stored,
                                   std::uint64_t tag) {
  BlockIterator records(payload, KeyForm::record);
  if (!records.next()) return;
  if (count_ == 0) {
    min_key_ = records.key();
  } else {
    if (records.key() <= max_key_) throw Error(ErrorCode::invalid_argument, "unsorted keys");
    TARN_ASSERT(begins_block(records.key(), records.value().size()));
    make_separator(max_key_, records.key(), separator_);
    finish_data_block(separator_);
  }
  std::uint32_t entries = 0;
  do {
    id_hasher_.add(records.key(), records.value());
    ++entries;
    raw_key_bytes_ += records.key().size() + kTrailerBytes;
    raw_value_bytes_ += records.value().size();
    if (records.at_end()) max_key_.assign(records.key());
  } while (records.next());
  count_ += entries;
  data_.resume(payload, entries);
  stored_data_.assign(stored);
  stored_tag_ = tag;
}

void TableWriter::resume(const TableIndex& old, const TableHistory& history, std::size_t checkpoint,
                         std::string stored) {
  TARN_ASSERT(count_ == 0 && !options_.sink);
  const TableCheckpoint& at = *history.checkpoints[checkpoint];
  const std::size_t last = at.blocks - 1;  // stays open: what follows it may join it
  for (std::size_t i = 0; i < last; ++i) {
    const BlockHandle handle = old.handle(i);
    if (handle.offset != written_ || handle.offset + handle.stored_bytes() > stored.size()) {
      throw Error(ErrorCode::corrupt, "table: blocks out of order");
    }
    check_block(std::string_view(stored).substr(handle.offset, handle.stored_bytes()));
    written_ += handle.stored_bytes();
    separator_.assign(old.separator(i))
        .append(old.separator_is_key(i) ? kSetTrailer : kSeparatorTrailer);
    add_index_entry(separator_, handle);
  }
  if (stored.size() != written_ + old.handle(last).stored_bytes()) {
    throw Error(ErrorCode::corrupt, "table: other bytes than its index says");
  }
  stored_data_.assign(stored, written_);
  stored.resize(written_);
  out_ = std::move(stored);
  std::string scratch;
  const std::string_view payload = decode_block(stored_data_, scratch);
  std::uint32_t entries = 0;
  for (BlockIterator records(payload, KeyForm::record); records.next(); ++entries) {
    if (records.at_end()) max_key_.assign(records.key());
  }
  if (entries == 0) throw Error(ErrorCode::corrupt, "table: empty block");
  data_.resume(payload, entries);
  data_blocks_ = last;
  min_key_ = old.property(property::kMinKey);
  count_ = at.count;
  raw_key_bytes_ = at.raw_key_bytes;
  raw_value_bytes_ = at.raw_value_bytes;
  if (checkpoint > 0) {
    const TableCheckpoint& before = *history.checkpoints[checkpoint - 1];
    raw_bytes_at_checkpoint_ = before.raw_key_bytes + before.raw_value_bytes;
  }
  id_hasher_ = at.hasher;
  // This checkpoint itself comes again when its last block is finished.
  history_.checkpoints.assign(
      history.checkpoints.begin(),
      history.checkpoints.begin() + static_cast<std::ptrdiff_t>(checkpoint));
  history_.block_tags.assign(history.block_tags.begin(),
                             history.block_tags.begin() + static_cast<std::ptrdiff_t>(last));
  stored_tag_ = history.block_tags[last];
}

std::uint64_t TableWriter::estimated_size() const {
  return written_ + data_.estimate() + index_.estimate();
}

TableResult TableWriter::finish() {
  TableResult result;
  result.estimated_size = estimated_size();
  result.count = count_;
  if (count_ == 0) {
    finish_data_block(kEmptyTableSeparator);
  } else {
    make_successor(max_key_, separator_);
    finish_data_block(separator_);
  }
  data_bytes_ = written_;
  result.min_key = std::move(min_key_);
  result.max_key = std::move(max_key_);
  result.id = id_hasher_.finish(options_.properties);

  Footer footer;
  footer.index = finish_index();
  BlockBuilder metaindex(1);
  std::string handle;
  append_handle(handle, write_properties(result));
  metaindex.add(kPropertiesBlockName, {}, 0, handle);
  footer.metaindex = write_block_raw(metaindex.finish(), BlockType::none);
  append(encode_footer(footer));

  result.file_bytes = written_;
  result.history = std::move(history_);
  if (options_.sink) {
    if (!out_.empty()) options_.sink(std::move(out_));
  } else {
    result.bytes = std::move(out_);
  }
  return result;
}

void TableWriter::finish_data_block(std::string_view separator) {
  BlockHandle handle;
  if (stored_data_.empty()) {
    handle = write_block(data_.finish());
  } else {
    handle = {.offset = written_, .size = stored_data_.size() - kBlockTrailerBytes};
    append(stored_data_);
  }
  history_.block_tags.push_back(stored_data_.empty() ? 0 : stored_tag_);
  data_.reset();
  ++data_blocks_;
  add_index_entry(separator, handle);
  note_checkpoint();
}

void TableWriter::note_checkpoint() {
  const std::uint64_t bytes = raw_key_bytes_ + raw_value_bytes_;
  if (bytes - raw_bytes_at_checkpoint_ < kCheckpointBytes) return;
  raw_bytes_at_checkpoint_ = bytes;
  id_hasher_.flush();
  history_.checkpoints.push_back(
      std::make_shared<const TableCheckpoint>(TableCheckpoint{.blocks = data_blocks_,
                                                              .count = count_,
                                                              .raw_key_bytes = raw_key_bytes_,
                                                              .raw_value_bytes = raw_value_bytes_,
                                                              .hasher = id_hasher_}));
}

void TableWriter::add_index_entry(std::string_view separator, BlockHandle handle) {
  if (index_.is_full_for(separator.size(), kIndexValueBytes)) {
    partitions_.push_back({std::string(index_.finish()), last_separator_});
    index_.reset();
  }
  char encoded[2 * kUvarintBytesMax];
  char* const end = put_uvarint(put_uvarint(encoded, handle.offset), handle.size);
  index_.add(separator, {}, 0, {encoded, end});
  last_separator_.assign(separator);
}

BlockHandle TableWriter::finish_index() {
  if (partitions_.empty()) {
    index_bytes_ = index_.estimate() + kBlockTrailerBytes;
    return write_block(index_.finish());
  }
  partitions_.push_back({std::string(index_.finish()), last_separator_});
  BlockBuilder top(1);
  std::string handle;
  for (const Partition& partition : partitions_) {
    partition_bytes_ += partition.payload.size();
    handle.clear();
    append_handle(handle, write_block(partition.payload));
    top.add(partition.last_separator, {}, 0, handle);
  }
  top_index_bytes_ = top.estimate();
  index_bytes_ = partition_bytes_ + top_index_bytes_ + kBlockTrailerBytes;
  return write_block(top.finish());
}

BlockHandle TableWriter::write_block(std::string_view payload) {
  const std::string_view compressed = snappy_.encode(payload);
  return compressed.size() < payload.size() - payload.size() / 8
             ? write_block_raw(compressed, BlockType::snappy)
             : write_block_raw(payload, BlockType::none);
}

BlockHandle TableWriter::write_block_raw(std::string_view payload, BlockType type) {
  const BlockHandle handle{.offset = written_, .size = payload.size()};
  append(payload);
  append(block_trailer(payload, type));
  return handle;
}

BlockHandle TableWriter::write_properties(const TableResult& result) {
  Properties all = options_.properties;
  add_constant_properties(all);
  all[std::string(property::kMinKey)] = result.min_key;
  all[std::string(property::kMaxKey)] = result.max_key;
  all[std::string(property::kCount)] = std::to_string(result.count);
  all[std::string(property::kEstimatedSize)] = std::to_string(result.estimated_size);
  all[std::string(property::kIndexType)] =
      le32(partitions_.empty() ? kBinaryIndex : kTwoLevelIndex);
  all[std::string(property::kDataBytes)] = uvarint(data_bytes_);
  all[std::string(property::kEntries)] = uvarint(static_cast<std::uint64_t>(count_));
  all["rocksdb.index.size"] = uvarint(index_bytes_);
  all["rocksdb.num.data.blocks"] = uvarint(data_blocks_);
  all["rocksdb.raw.key.size"] = uvarint(raw_key_bytes_);
  all["rocksdb.raw.value.size"] = uvarint(raw_value_bytes_);
  if (!partitions_.empty()) {
    all["rocksdb.index.partitions"] = uvarint(partitions_.size());
    all["rocksdb.top-level.index.size"] = uvarint(top_index_bytes_);
  }
  BlockBuilder block(kOneRestart);
  std::string_view previous;
  for (const auto& [name, value] : all) {
    block.add(name, {}, common_prefix(previous, name), value);
    previous = name;
  }
  return write_block_raw(block.finish(), BlockType::none);
}

void TableWriter::append(std::string_view bytes) {
  const bool full = out_.capacity() - out_.size() < bytes.size();
  if (full && out_.size() >= kLargeBytes && out_.size() + bytes.size() < kLargeRoomBytes) {
    out_.reserve(kLargeRoomBytes);
  }
  out_.append(bytes);
  written_ += bytes.size();
  if (options_.sink && out_.size() >= kSinkBytes) {
    options_.sink(std::move(out_));
    out_ = {};
    out_.reserve(kSinkBytes + kSinkBytes / 8);
  }
}

}  // namespace tarn::sst
