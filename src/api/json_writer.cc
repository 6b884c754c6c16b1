#include "api/json_writer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>

namespace tarn::api {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

bool is_plain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x80 && c != '"' && c != '\\';
}

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80;
}

constexpr std::uint64_t every_byte(std::uint64_t byte) {
  return byte * 0x0101010101010101ULL;
}

/// Sets the top bit of each byte of `word` that may not be plain; none is missed, and a plain one
/// behind such a byte may be marked as well.
constexpr std::uint64_t suspects(std::uint64_t word) {
  const auto zero_bytes = [](std::uint64_t x) { return (x - every_byte(1)) & ~x; };
  const std::uint64_t controls = (word - every_byte(0x20)) & ~word;
  return (word | controls | zero_bytes(word ^ every_byte('"')) |
          zero_bytes(word ^ every_byte('\\'))) &
         every_byte(0x80);
}

/// How many first bytes of `text` go out as they are.
std::size_t plain_prefix(std::string_view text) {
  std::size_t size = 0;
  for (std::uint64_t word; size + sizeof word <= text.size(); size += sizeof word) {
    std::memcpy(&word, text.data() + size, sizeof word);
    if (suspects(word) != 0) break;
  }
  while (size < text.size() && is_plain(text[size]))
    ++size;
  return size;
}

/// Bytes of the well-formed UTF-8 sequence at the front of `text`; 0 if there is none (Unicode
/// 15, table 3-7).
std::size_t sequence_length(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) return 1;
  const std::size_t length = first < 0xC2   ? 0
                             : first < 0xE0 ? 2
                             : first < 0xF0 ? 3
                             : first < 0xF5 ? 4
                                            : 0;
  if (length == 0 || text.size() < length) return 0;
  const auto second = static_cast<unsigned char>(text[1]);
  if (first == 0xE0 && second < 0xA0) return 0;
  if (first == 0xED && second > 0x9F) return 0;
  if (first == 0xF0 && second < 0x90) return 0;
  if (first == 0xF4 && second > 0x8F) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if (!is_continuation(text[i])) return 0;
  }
  return length;
}

void append_escape(std::string& out, char c) {
  constexpr std::string_view kHex = "0123456789abcdef";
  switch (c) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: break;
  }
  const auto byte = static_cast<unsigned char>(c);
  out += "\\u00";
  out += kHex[byte >> 4U];
  out += kHex[byte & 0xFU];
}

}  // namespace

std::string to_valid_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    out += length == 0 ? kReplacement : text.substr(0, length);
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

void JsonWriter::separate() {
  if (need_comma_) out_ += ',';
  need_comma_ = true;
}

void JsonWriter::begin_object() {
  separate();
  out_ += '{';
  need_comma_ = false;
}

void JsonWriter::end_object() {
  out_ += '}';
  need_comma_ = true;
}

void JsonWriter::begin_array() {
  separate();
  out_ += '[';
  need_comma_ = false;
}

void JsonWriter::end_array() {
  out_ += ']';
  need_comma_ = true;
}

char* JsonWriter::extend(std::size_t size) {
  const std::size_t before = out_.size();
  const std::size_t whole = before + size;
  // Not the size it passes on: libstdc++ 12 makes that the new capacity.
  out_.resize_and_overwrite(whole, [whole](char*, std::size_t) { return whole; });
  return out_.data() + before;
}

void JsonWriter::key(std::string_view name) {
  char* at = extend(name.size() + (need_comma_ ? 4 : 3));
  if (need_comma_) *at++ = ',';
  *at++ = '"';
  at = std::ranges::copy(name, at).out;
  *at++ = '"';
  *at = ':';
  need_comma_ = false;
}

void JsonWriter::value(std::string_view text) {
  if (plain_prefix(text) == text.size()) {
    char* at = extend(text.size() + (need_comma_ ? 3 : 2));
    if (need_comma_) *at++ = ',';
    *at++ = '"';
    at = std::ranges::copy(text, at).out;
    *at = '"';
    need_comma_ = true;
    return;
  }
  separate();
  out_ += '"';
  while (!text.empty()) {
    const std::size_t plain = plain_prefix(text);
    out_ += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) break;
    const std::size_t length = sequence_length(text);
    if (length == 1) {
      append_escape(out_, text[0]);
    } else {
      out_ += length == 0 ? kReplacement : text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  out_ += '"';
}

void JsonWriter::value(bool flag) {
  separate();
  out_ += flag ? "true" : "false";
}

void JsonWriter::integer(std::int64_t number) {
  separate();
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out_.append(digits.data(), end);
}

void JsonWriter::value(const std::map<std::string, std::string>& pairs) {
  begin_object();
  for (const auto& [name, text] : pairs) {
    value(name);
    out_ += ':';
    need_comma_ = false;
    value(text);
  }
  end_object();
}

void JsonWriter::value(const std::vector<std::string>& texts) {
  begin_array();
  for (const std::string& text : texts)
    value(text);
  end_array();
}

void JsonWriter::value(std::span<const std::string_view> texts) {
  begin_array();
  for (const std::string_view text : texts)
    value(text);
  end_array();
}

void JsonWriter::null() {
  separate();
  out_ += "null";
}

}  // namespace tarn::api
