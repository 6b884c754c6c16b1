#include "sst/table_format.h"

#include <bit>

#include "base/error.h"
#include "base/hash.h"
#include "sst/snappy.h"
#include "sst/varint.h"

namespace tarn::sst {

namespace {

constexpr std::string_view kMagic{"\xf7\xcf\xf4\x85\xb7\x41\xe2\x88", 8};
constexpr char kChecksumCrc32c = 1;
constexpr std::uint32_t kFormatVersion = 2;
constexpr std::size_t kVersionOffset = 41;

// A record's two parts are at most 40 MiB each (3.5), and a block holds one record that large.
constexpr std::size_t kPayloadBytesMax = 128 * 1024 * 1024;

[[noreturn]] void throw_corrupt(const char* what) {
  throw Error(ErrorCode::corrupt, std::string("table file: ") + what);
}

// Storing a checksum of data that holds checksums is unwise, hence the mask.
std::uint32_t masked_crc(std::string_view payload, char type) {
  const std::uint32_t crc = crc32c(crc32c(0, payload), {&type, 1});
  return std::rotr(crc, 15) + 0xa282ead8U;
}

// Reads a handle at `from` and returns the position after it.
const char* read_handle(const char* from, const char* end, std::uint64_t limit,
                        BlockHandle& handle) {
  from = get_uvarint(from, end, handle.offset);
  if (from != nullptr) from = get_uvarint(from, end, handle.size);
  if (from == nullptr) throw_corrupt("broken block handle");
  if (handle.offset > limit || handle.size > limit - handle.offset ||
      kBlockTrailerBytes > limit - handle.offset - handle.size) {
    throw_corrupt("block outside the file");
  }
  return from;
}

}  // namespace

void append_handle(std::string& out, BlockHandle handle) {
  append_uvarint(out, handle.offset);
  append_uvarint(out, handle.size);
}

std::string block_trailer(std::string_view payload, BlockType type) {
  std::string out(1, static_cast<char>(type));
  append_le32(out, masked_crc(payload, out[0]));
  return out;
}

std::string encode_footer(const Footer& footer) {
  std::string out(1, kChecksumCrc32c);
  append_handle(out, footer.metaindex);
  append_handle(out, footer.index);
  out.resize(kVersionOffset, '\0');
  append_le32(out, kFormatVersion);
  out.append(kMagic);
  return out;
}

Footer parse_footer(std::string_view tail, std::uint64_t file_bytes) {
  if (tail.size() < kFooterBytes || file_bytes < tail.size()) throw_corrupt("no footer");
  tail.remove_prefix(tail.size() - kFooterBytes);
  if (!tail.ends_with(kMagic)) throw_corrupt("not a table file");
  if (load_le32(tail.data() + kVersionOffset) != kFormatVersion) throw_corrupt("unknown version");
  if (tail[0] != kChecksumCrc32c) throw_corrupt("unknown checksum");
  const std::uint64_t limit = file_bytes - kFooterBytes;
  Footer footer;
  const char* const end = tail.data() + kVersionOffset;
  const char* const from = read_handle(tail.data() + 1, end, limit, footer.metaindex);
  read_handle(from, end, limit, footer.index);
  return footer;
}

BlockHandle parse_handle(std::string_view bytes, std::uint64_t limit) {
  BlockHandle handle;
  const char* const end = bytes.data() + bytes.size();
  if (read_handle(bytes.data(), end, limit, handle) != end) throw_corrupt("broken block handle");
  return handle;
}

void check_block(std::string_view stored) {
  if (stored.size() < kBlockTrailerBytes) throw_corrupt("block too short");
  const std::string_view payload = stored.substr(0, stored.size() - kBlockTrailerBytes);
  if (load_le32(stored.data() + payload.size() + 1) !=
      masked_crc(payload, stored[payload.size()])) {
    throw_corrupt("block checksum mismatch");
  }
}

std::string_view decode_block(std::string_view stored, std::string& scratch) {
  check_block(stored);
  const std::string_view payload = stored.substr(0, stored.size() - kBlockTrailerBytes);
  switch (static_cast<BlockType>(stored[payload.size()])) {
    case BlockType::none: return payload;
    case BlockType::snappy: snappy_decode(payload, kPayloadBytesMax, scratch); return scratch;
  }
  throw_corrupt("unknown block compression");
}

std::string decode_block(std::string_view stored) {
  std::string scratch;
  const std::string_view payload = decode_block(stored, scratch);
  if (payload.data() != scratch.data()) scratch.assign(payload);
  return scratch;
}

}  // namespace tarn::sst
