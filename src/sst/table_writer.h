// Writes range and metarange files: byte for byte what the reference writes for the same records,
// because its size estimates reach metarange ids (storage-format.md 3.7 to 3.9).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sst/block.h"
#include "sst/snappy.h"
#include "sst/table_format.h"
#include "sst/table_id.h"
#include "sst/table_reader.h"

namespace tarn::sst {

struct TableOptions {
  /// Hashed into the id and stored: `type`, and the extra ones of refs dumps.
  Properties properties = {};
  /// Takes the file piece by piece, in order, as it is made. What it throws passes through, and
  /// leaves the writer unusable. Without it the whole file stays in memory for the result.
  std::function<void(std::string&&)> sink = {};
};

TableOptions ranges_table();
TableOptions metaranges_table();

/// Where a writer was between two data blocks: enough to write on from there in another file that
/// begins alike, without hashing or decoding the records before.
struct TableCheckpoint {
  std::size_t blocks = 0;  // complete ones before it, at least one
  std::int64_t count = 0;  // records in them, and their bytes
  std::uint64_t raw_key_bytes = 0;
  std::uint64_t raw_value_bytes = 0;
  TableIdHasher hasher;  // after them
};

/// How a file came to be. Owners of a checkpoint: the files that begin with its records.
struct TableHistory {
  std::vector<std::shared_ptr<const TableCheckpoint>> checkpoints;  // ascending
  /// What the caller called the stored block each data block is a copy of; 0 for a new one.
  std::vector<std::uint64_t> block_tags;
};

struct TableResult {
  std::string id;
  std::string bytes;  // the file; empty if a sink took it
  std::uint64_t file_bytes = 0;
  std::string min_key;
  std::string max_key;
  std::int64_t count = 0;
  std::uint64_t estimated_size = 0;  // as taken before closing: what goes into RangeData
  TableHistory history;
};

/// Memory: one data block, the index, and the file so far if there is no sink. Not thread-safe.
class TableWriter {
 public:
  explicit TableWriter(TableOptions options);

  /// Keys strictly ascending, else Error{invalid_argument} "unsorted keys" and nothing is added.
  void add(std::string_view key, std::string_view value);

  /// A hint while copying an old file's records: call it after adding the last record of one of its
  /// blocks, with the decoded payload and the stored bytes that gave it. If the block under
  /// construction now has exactly that payload, and is cut here, the stored bytes are copied, which
  /// saves compressing them anew. Only for files whose blocks TableIndex::reusable_blocks(): the
  /// result then never differs from a full rewrite.
  void offer_stored_block(std::string_view payload, std::string_view stored);

  /// Whether a record with this key and value size would begin a block.
  bool begins_block(std::string_view key, std::size_t value_bytes) const;

  /// Takes over a whole block of an old file: as adding each of its records, for a fraction of the
  /// work. `payload` is what `stored` decodes to. Its first record must begin a block here, and the
  /// file's blocks must be reusable, as above. Records must ascend within it. Whether more records
  /// join the block is decided when they come. Throws Error{invalid_argument} like add(),
  /// Error{corrupt} for a payload that is no block. The caller sees to the checksum of `stored`.
  void add_stored_block(std::string_view payload, std::string_view stored, std::uint64_t tag = 0);

  /// In a new writer without a sink: as adding the records before a checkpoint of an old file,
  /// whose blocks must be reusable. `stored` is the file up to the end of the last block before it;
  /// room for more there saves a copy. Throws Error{corrupt} where they do not belong together or a
  /// block's checksum is wrong.
  void resume(const TableIndex& old, const TableHistory& history, std::size_t checkpoint,
              std::string stored);

  /// As the reference estimates: feeds the break rule (range_splitter.h). 8 for a new writer.
  std::uint64_t estimated_size() const;

  std::int64_t count() const { return count_; }

  /// The last key added; "" before the first.
  std::string_view max_key() const { return max_key_; }

  /// Completes the file. The writer is spent.
  TableResult finish();

 private:
  struct Partition {
    std::string payload;
    std::string last_separator;
  };

  void finish_data_block(std::string_view separator);
  void add_index_entry(std::string_view separator, BlockHandle handle);
  void note_checkpoint();
  BlockHandle finish_index();
  BlockHandle write_block(std::string_view payload);
  BlockHandle write_block_raw(std::string_view payload, BlockType type);
  BlockHandle write_properties(const TableResult& result);
  void append(std::string_view bytes);

  TableOptions options_;
  TableIdHasher id_hasher_;
  SnappyEncoder snappy_;
  BlockBuilder data_;
  BlockBuilder index_;
  std::string stored_data_;       // what data_ compresses to, if known
  std::uint64_t stored_tag_ = 0;  // its name with the caller
  TableHistory history_;
  std::uint64_t raw_bytes_at_checkpoint_ = 0;
  std::vector<Partition> partitions_;
  std::string last_separator_;
  std::string min_key_;
  std::string max_key_;
  std::string separator_;  // scratch
  std::string out_;
  std::uint64_t written_ = 0;
  std::int64_t count_ = 0;
  std::uint64_t data_blocks_ = 0;
  std::uint64_t data_bytes_ = 0;
  std::uint64_t raw_key_bytes_ = 0;
  std::uint64_t raw_value_bytes_ = 0;
  std::uint64_t partition_bytes_ = 0;
  std::uint64_t top_index_bytes_ = 0;
  std::uint64_t index_bytes_ = 0;
};

}  // namespace tarn::sst
