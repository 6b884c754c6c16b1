// Constants and small codecs of table files, shared by writer and reader (storage-format.md 3.8).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace tarn::sst {

using Properties = std::map<std::string, std::string, std::less<>>;

/// Where a block lies: `size` is its payload as stored, after which follow its type and checksum.
struct BlockHandle {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;

  /// Bytes to read from `offset` to have what decode_block() wants.
  std::uint64_t stored_bytes() const;

  friend bool operator==(const BlockHandle&, const BlockHandle&) = default;
};

inline constexpr std::size_t kBlockTrailerBytes = 5;  // type and LE32 masked CRC32C
inline constexpr std::size_t kFooterBytes = 53;

inline std::uint64_t BlockHandle::stored_bytes() const {
  return size + kBlockTrailerBytes;
}

enum class BlockType : char { none = 0, snappy = 1 };

/// The two blocks a footer points to.
struct Footer {
  BlockHandle metaindex;
  BlockHandle index;
};

void append_handle(std::string& out, BlockHandle handle);

/// The bytes that follow a payload.
std::string block_trailer(std::string_view payload, BlockType type);

std::string encode_footer(const Footer& footer);

/// From a file's last kFooterBytes (more are fine). Throws Error{corrupt}; the handles it returns
/// lie within the file.
Footer parse_footer(std::string_view tail, std::uint64_t file_bytes);

/// The whole value must be one handle of a block within the file's first `limit` bytes, else
/// Error{corrupt}.
BlockHandle parse_handle(std::string_view bytes, std::uint64_t limit);

/// Verifies the checksum of a block, given as handle.stored_bytes() bytes. Throws Error{corrupt}.
void check_block(std::string_view stored);

/// Verifies and decompresses a block read as handle.stored_bytes() bytes. The result is a part of
/// `stored`, or of `scratch`, which it may replace. Throws Error{corrupt}.
std::string_view decode_block(std::string_view stored, std::string& scratch);

/// The same, owned.
std::string decode_block(std::string_view stored);

namespace property {
inline constexpr std::string_view kType = "type";
inline constexpr std::string_view kMinKey = "min_key";
inline constexpr std::string_view kMaxKey = "max_key";
inline constexpr std::string_view kCount = "count";
inline constexpr std::string_view kEstimatedSize = "estimated_size_bytes";
inline constexpr std::string_view kIndexType = "rocksdb.block.based.table.index.type";
inline constexpr std::string_view kMergeOperator = "rocksdb.merge.operator";
inline constexpr std::string_view kDataBytes = "rocksdb.data.size";
inline constexpr std::string_view kEntries = "rocksdb.num.entries";
}  // namespace property

inline constexpr std::string_view kPropertiesBlockName = "rocksdb.properties";
inline constexpr std::string_view kReferenceMergeOperator = "pebble.concatenate";
inline constexpr std::uint32_t kBinaryIndex = 0;
inline constexpr std::uint32_t kTwoLevelIndex = 2;

inline constexpr std::string_view kTypeRanges = "ranges";
inline constexpr std::string_view kTypeMetaranges = "metaranges";

}  // namespace tarn::sst
