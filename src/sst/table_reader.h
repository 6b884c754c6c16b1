// Reads range and metarange files (storage-format.md 3.8). The reader does no I/O: it is handed
// bytes, which may come from anywhere, so every function here throws Error{corrupt} for bytes that
// do not parse or verify. The way to a record:
//   read the file's tail -> TableIndex -> find(key) -> read that block -> decode_block() ->
//   BlockIterator(payload, KeyForm::record).seek_ge(key)
// Index and decoded blocks are immutable and may be cached and shared between threads.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sst/block.h"
#include "sst/table_format.h"

namespace tarn::sst {

/// How many of a file's last bytes TableIndex::parse() needs, going by those in `tail` (at least
/// kFooterBytes). More than tail.size(): read that many and ask again, at most twice. A guess of
/// 1 % of the file and at least 4 KiB is usually enough.
std::uint64_t tail_bytes_needed(std::uint64_t file_bytes, std::string_view tail);

/// Which data block holds which keys, and the file's properties.
class TableIndex {
 public:
  /// From the file's last bytes, as many as tail_bytes_needed() says.
  static TableIndex parse(std::uint64_t file_bytes, std::string_view tail);

  /// The number of the only data block that may hold `key`, or the first key after it; nullopt if
  /// every key of the file is less.
  std::optional<std::size_t> find(std::string_view key) const;

  /// Data blocks, in key order.
  std::size_t size() const { return blocks_.size(); }

  BlockHandle handle(std::size_t block) const {
    return {.offset = blocks_[block].offset, .size = blocks_[block].size};
  }

  /// Not less than the last key of the block, and less than the first of the next.
  std::string_view separator(std::size_t block) const;

  /// Whether the separator is the last key of the block, going by the file.
  bool separator_is_key(std::size_t block) const { return blocks_[block].separator_is_key; }

  /// All but the `rocksdb.` ones.
  const Properties& properties() const { return properties_; }

  /// The value of a property, "" without it.
  std::string_view property(std::string_view name) const;

  /// Records in the file, as it says itself: for display and for reserving, not to be trusted.
  std::uint64_t entries() const { return entries_; }

  /// The reference or this server wrote the file, so TableWriter would compress the same payload
  /// to the same bytes.
  bool reusable_blocks() const { return reusable_blocks_; }

  /// For cache accounting.
  std::size_t memory_bytes() const;

 private:
  struct Block {
    std::uint64_t offset : 63;
    std::uint64_t separator_is_key : 1;
    std::uint32_t size;
    std::uint32_t separator_end;  // in separators_
  };

  void add_index_block(std::string_view payload, std::uint64_t limit);

  std::vector<Block> blocks_;
  std::string separators_;
  Properties properties_;
  std::uint64_t entries_ = 0;
  bool reusable_blocks_ = false;
};

/// All properties, those of the table format included, from the decoded properties block.
Properties parse_properties(std::string_view payload);

/// The properties an id covers (3.7): without those added on closing and the format's own.
Properties hashed_properties(const Properties& properties);

/// A whole file in memory, which must outlive the view and its iterators.
class TableView {
 public:
  explicit TableView(std::string_view file);

  class Iterator;

  const TableIndex& index() const { return index_; }

  /// The stored bytes of a data block, for decode_block().
  std::string_view stored_block(std::size_t block) const;

  std::optional<std::string> find(std::string_view key) const;

  /// Every property of the file.
  Properties all_properties() const;

 private:
  std::string_view file_;
  TableIndex index_;
};

/// Records in order. The view must outlive it.
class TableView::Iterator {
 public:
  explicit Iterator(const TableView& view) : view_(&view) {}

  Iterator(const Iterator&) = delete;
  Iterator& operator=(const Iterator&) = delete;

  /// Each moves and says whether it stands on a record; a new iterator stands before the first.
  bool next();
  bool seek_ge(std::string_view key);

  /// Both live until the iterator moves.
  std::string_view key() const { return records_.key(); }

  std::string_view value() const { return records_.value(); }

  /// The current block: its number among the file's, decoded payload, and whether the current
  /// record is its last.
  std::size_t block() const { return next_block_ - 1; }

  std::string_view block_payload() const { return payload_; }

  bool at_block_end() const { return records_.at_end(); }

 private:
  void open_block(std::size_t block);

  const TableView* view_;
  std::size_t next_block_ = 0;
  std::string scratch_;
  std::string_view payload_;
  BlockIterator records_;
};

/// The id the file's content gives; also checks all checksums, the order of the keys, and that
/// find() and seek_ge() find each of them. Compare with the name it was stored under.
std::string compute_table_id(const TableView& view);

}  // namespace tarn::sst
