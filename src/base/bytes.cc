#include "base/bytes.h"

#include <array>
#include <cstring>

#include <openssl/crypto.h>

namespace tarn {

namespace {

constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kBase64Url =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view kBase32Hex = "0123456789abcdefghijklmnopqrstuv";
constexpr std::string_view kHexUpper = "0123456789ABCDEF";

using DecodeTable = std::array<std::int8_t, 256>;

constexpr DecodeTable decode_table(std::string_view alphabet) {
  DecodeTable table{};
  table.fill(-1);
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    table[static_cast<unsigned char>(alphabet[i])] = static_cast<std::int8_t>(i);
  }
  return table;
}

std::string encode_bits(std::string_view bytes, std::string_view alphabet, unsigned width) {
  std::string out;
  out.reserve((bytes.size() * 8 + width - 1) / width + 3);
  std::uint32_t buffer = 0;
  unsigned bits = 0;
  for (const char c : bytes) {
    buffer = buffer << 8 | static_cast<unsigned char>(c);
    bits += 8;
    while (bits >= width) {
      bits -= width;
      out.push_back(alphabet[buffer >> bits & ((1U << width) - 1)]);
    }
  }
  if (bits > 0) out.push_back(alphabet[buffer << (width - bits) & ((1U << width) - 1)]);
  return out;
}

std::optional<std::string> decode_bits(std::string_view text, const DecodeTable& table,
                                       unsigned width) {
  std::string out;
  out.reserve(text.size() * width / 8);
  std::uint32_t buffer = 0;
  unsigned bits = 0;
  for (const char c : text) {
    const std::int8_t digit = table[static_cast<unsigned char>(c)];
    if (digit < 0) return std::nullopt;
    buffer = buffer << width | static_cast<std::uint32_t>(digit);
    bits += width;
    if (bits >= 8) {
      bits -= 8;
      out.push_back(static_cast<char>(buffer >> bits & 0xff));
    }
  }
  // What is left must be padding bits of the last byte: too few for a digit of their own, all zero.
  if (bits >= width || (buffer & ((1U << bits) - 1)) != 0) return std::nullopt;
  return out;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_unreserved(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.' || c == '~';
}

std::string_view without_padding(std::string_view text) {
  while (text.ends_with('='))
    text.remove_suffix(1);
  return text;
}

}  // namespace

std::string to_hex(std::string_view bytes) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    out.push_back(kHex[static_cast<unsigned char>(c) >> 4]);
    out.push_back(kHex[static_cast<unsigned char>(c) & 15]);
  }
  return out;
}

std::optional<std::string> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::string out;
  out.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_digit(text[i]);
    const int low = hex_digit(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out.push_back(static_cast<char>(high << 4 | low));
  }
  return out;
}

std::string to_base64(std::string_view bytes) {
  std::string out = encode_bits(bytes, kBase64, 6);
  out.append((4 - out.size() % 4) % 4, '=');
  return out;
}

std::optional<std::string> from_base64(std::string_view text) {
  static constexpr DecodeTable kTable = decode_table(kBase64);
  if (text.size() % 4 != 0) return std::nullopt;
  const std::string_view digits = without_padding(text);
  if (text.size() - digits.size() > 2) return std::nullopt;
  return decode_bits(digits, kTable, 6);
}

std::string to_base64url(std::string_view bytes) {
  return encode_bits(bytes, kBase64Url, 6);
}

std::optional<std::string> from_base64url(std::string_view text) {
  static constexpr DecodeTable kTable = decode_table(kBase64Url);
  const std::string_view digits = without_padding(text);
  const std::size_t padding = text.size() - digits.size();
  if (padding > 0 && (padding > 2 || text.size() % 4 != 0)) return std::nullopt;
  return decode_bits(digits, kTable, 6);
}

std::string to_base32hex(std::string_view bytes) {
  return encode_bits(bytes, kBase32Hex, 5);
}

std::optional<std::string> from_base32hex(std::string_view text) {
  static constexpr DecodeTable kTable = decode_table(kBase32Hex);
  return decode_bits(text, kTable, 5);
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = hex_digit(text[i + 1]);
    const int low = hex_digit(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    out.push_back(static_cast<char>(high << 4 | low));
    i += 2;
  }
  return out;
}

std::string percent_encode(std::string_view bytes, std::string_view keep) {
  std::string out;
  out.reserve(bytes.size());
  for (const char c : bytes) {
    if (is_unreserved(c) || keep.find(c) != std::string_view::npos) {
      out.push_back(c);
    } else {
      out.push_back('%');
      out.push_back(kHexUpper[static_cast<unsigned char>(c) >> 4]);
      out.push_back(kHexUpper[static_cast<unsigned char>(c) & 15]);
    }
  }
  return out;
}

bool is_valid_utf8(std::string_view bytes) {
  const auto* p = reinterpret_cast<const unsigned char*>(bytes.data());
  const auto* const end = p + bytes.size();
  while (p < end) {
    // Nearly all text is ASCII: eight bytes of it at once.
    std::uint64_t word = 0;
    if (end - p >= 8 && (std::memcpy(&word, p, 8), (word & 0x8080808080808080U) == 0)) {
      p += 8;
      continue;
    }
    if (*p < 0x80) {
      ++p;
      continue;
    }
    // Unicode table 3-7: the second byte's bounds depend on the first.
    int extra = 0;
    unsigned char low = 0x80;
    unsigned char high = 0xbf;
    if (*p >= 0xc2 && *p <= 0xdf) {
      extra = 1;
    } else if (*p >= 0xe0 && *p <= 0xef) {
      extra = 2;
      if (*p == 0xe0) low = 0xa0;
      if (*p == 0xed) high = 0x9f;
    } else if (*p >= 0xf0 && *p <= 0xf4) {
      extra = 3;
      if (*p == 0xf0) low = 0x90;
      if (*p == 0xf4) high = 0x8f;
    } else {
      return false;
    }
    if (end - p <= extra || p[1] < low || p[1] > high) return false;
    for (int i = 2; i <= extra; ++i) {
      if (p[i] < 0x80 || p[i] > 0xbf) return false;
    }
    p += extra + 1;
  }
  return true;
}

bool equal_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

void append_be64(std::string& out, std::uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(value >> shift));
}

void append_be32(std::string& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(value >> shift));
}

}  // namespace tarn
