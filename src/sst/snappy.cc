#include "sst/snappy.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include <snappy.h>

#include "base/error.h"
#include "sst/varint.h"

namespace tarn::sst {

namespace {

constexpr std::size_t kChunkBytesMax = 65'536;
constexpr std::size_t kMarginBytes = 15;         // the search never reads the last bytes of a chunk
constexpr std::size_t kChunkBytesToSearch = 17;  // shorter ones are a single literal
constexpr std::size_t kWildCopyBytes = 16;

std::size_t encoded_bytes_max(std::size_t raw) {
  return 32 + raw + raw / 6 + kWildCopyBytes;
}

// `source_room` is how many bytes may be read at `from`: short literals copy a fixed 16 bytes.
char* emit_literal(char* out, const char* from, std::size_t size, std::size_t source_room) {
  const std::size_t n = size - 1;
  if (n < 60) {
    *out++ = static_cast<char>(n << 2);
  } else if (n < 256) {
    *out++ = static_cast<char>(0xf0);
    *out++ = static_cast<char>(n);
  } else {
    *out++ = static_cast<char>(0xf4);
    *out++ = static_cast<char>(n);
    *out++ = static_cast<char>(n >> 8);
  }
  if (size <= kWildCopyBytes && source_room >= kWildCopyBytes) {
    std::memcpy(out, from, kWildCopyBytes);
  } else {
    std::memcpy(out, from, size);
  }
  return out + size;
}

char* emit_long_copy(char* out, std::size_t offset, std::size_t length) {
  *out++ = static_cast<char>((length - 1) << 2 | 2);
  *out++ = static_cast<char>(offset);
  *out++ = static_cast<char>(offset >> 8);
  return out;
}

char* emit_copy(char* out, std::size_t offset, std::size_t length) {
  while (length >= 68) {
    out = emit_long_copy(out, offset, 64);
    length -= 64;
  }
  if (length > 64) {
    out = emit_long_copy(out, offset, 60);
    length -= 60;
  }
  if (length >= 12 || offset >= 2'048) return emit_long_copy(out, offset, length);
  *out++ = static_cast<char>(offset >> 8 << 5 | (length - 4) << 2 | 1);
  *out++ = static_cast<char>(offset);
  return out;
}

// How many bytes at `earlier` and `later` are equal, the latter going no further than `end`.
std::size_t match_length(const char* earlier, const char* later, const char* end) {
  const char* const start = later;
  while (end - later >= 8) {
    const std::uint64_t differing = load_le64(earlier) ^ load_le64(later);
    if (differing != 0) {
      return static_cast<std::size_t>(later - start) +
             static_cast<std::size_t>(std::countr_zero(differing)) / 8;
    }
    earlier += 8;
    later += 8;
  }
  while (later != end && *earlier == *later) {
    ++earlier;
    ++later;
  }
  return static_cast<std::size_t>(later - start);
}

}  // namespace

char* SnappyEncoder::encode_chunk(char* out, std::string_view chunk) {
  const char* const src = chunk.data();
  const std::size_t size = chunk.size();
  std::uint32_t table_size = 256;
  int shift = 24;
  for (; table_size < kTableSizeMax && table_size < size; table_size *= 2)
    --shift;
  std::uint16_t* const table = table_.data();
  std::memset(table, 0, table_size * sizeof *table);
  const auto hash = [shift](std::uint32_t four) { return four * 0x1e35a7bdU >> shift; };

  const std::size_t limit = size - kMarginBytes;
  std::size_t emitted = 0;
  std::size_t s = 1;
  std::uint32_t h = hash(load_le32(src + s));
  const auto finish = [&] {
    return emitted < size ? emit_literal(out, src + emitted, size - emitted, size - emitted) : out;
  };
  while (true) {
    // Search with growing steps, so that incompressible bytes are passed over quickly.
    std::size_t skip = 32;
    std::size_t next = s;
    std::size_t candidate;
    do {
      s = next;
      const std::size_t step = skip >> 5;
      next = s + step;
      skip += step;
      if (next > limit) return finish();
      candidate = table[h];
      table[h] = static_cast<std::uint16_t>(s);
      h = hash(load_le32(src + next));
    } while (load_le32(src + s) != load_le32(src + candidate));

    out = emit_literal(out, src + emitted, s - emitted, size - emitted);
    // Copies, as long as another match follows at once.
    while (true) {
      const std::size_t length = 4 + match_length(src + candidate + 4, src + s + 4, src + size);
      out = emit_copy(out, s - candidate, length);
      s += length;
      emitted = s;
      if (s >= limit) return finish();
      const std::uint64_t around = load_le64(src + s - 1);
      const auto here = static_cast<std::uint32_t>(around >> 8);
      table[hash(static_cast<std::uint32_t>(around))] = static_cast<std::uint16_t>(s - 1);
      const std::uint32_t slot = hash(here);
      candidate = table[slot];
      table[slot] = static_cast<std::uint16_t>(s);
      if (here != load_le32(src + candidate)) {
        h = hash(static_cast<std::uint32_t>(around >> 16));
        ++s;
        break;
      }
    }
  }
}

std::string_view SnappyEncoder::encode(std::string_view raw) {
  const std::size_t room = encoded_bytes_max(raw.size());
  if (out_.size() < room) out_.resize(room);
  char* out = put_uvarint(out_.data(), raw.size());
  while (!raw.empty()) {
    const std::string_view chunk = raw.substr(0, kChunkBytesMax);
    raw.remove_prefix(chunk.size());
    out = chunk.size() < kChunkBytesToSearch
              ? emit_literal(out, chunk.data(), chunk.size(), chunk.size())
              : encode_chunk(out, chunk);
  }
  return {out_.data(), out};
}

void snappy_decode(std::string_view compressed, std::size_t raw_bytes_max, std::string& out) {
  // The densest element is a copy of 64 bytes in three: a larger claim is a lie, and costs nothing.
  constexpr std::size_t kRatioMax = 22;
  std::size_t raw_size = 0;
  if (!snappy::GetUncompressedLength(compressed.data(), compressed.size(), &raw_size) ||
      raw_size > raw_bytes_max || raw_size / kRatioMax > compressed.size()) {
    throw Error(ErrorCode::corrupt, "snappy: impossible length");
  }
  bool ok = false;
  // libstdc++ 12 passes the grown capacity as the size: return the one we asked for.
  out.resize_and_overwrite(raw_size, [&](char* to, std::size_t) {
    ok = snappy::RawUncompress(compressed.data(), compressed.size(), to);
    return raw_size;
  });
  if (!ok) throw Error(ErrorCode::corrupt, "snappy: broken stream");
}

}  // namespace tarn::sst
