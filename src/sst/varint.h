// LEB128 and little-endian integers as table files hold them. Inline: they run once per record.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>

namespace tarn::sst {

static_assert(std::endian::native == std::endian::little);

inline constexpr std::size_t kUvarintBytesMax = 10;

/// Writes at `out`, which has kUvarintBytesMax bytes of room; returns the end.
inline char* put_uvarint(char* out, std::uint64_t value) {
  while (value >= 0x80) {
    *out++ = static_cast<char>(value | 0x80);
    value >>= 7;
  }
  *out++ = static_cast<char>(value);
  return out;
}

inline void append_uvarint(std::string& out, std::uint64_t value) {
  char bytes[kUvarintBytesMax];
  out.append(bytes, put_uvarint(bytes, value));
}

constexpr std::size_t uvarint_length(std::uint64_t value) {
  return static_cast<std::size_t>(std::bit_width(value | 1) + 6) / 7;
}

/// Reads at `from`; returns the position after it, or null if it is cut off by `end` or passes
/// 64 bits.
inline const char* get_uvarint(const char* from, const char* end, std::uint64_t& value) {
  value = 0;
  for (unsigned shift = 0; from != end && shift < 64; shift += 7) {
    const auto byte = static_cast<unsigned char>(*from++);
    if (shift == 63 && byte > 1) return nullptr;
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return from;
  }
  return nullptr;
}

inline std::uint32_t load_le32(const char* from) {
  std::uint32_t value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

inline std::uint64_t load_le64(const char* from) {
  std::uint64_t value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

inline void append_le32(std::string& out, std::uint32_t value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof value);
}

}  // namespace tarn::sst
