#include "s3gw/encoded_words.h"

#include <algorithm>
#include <optional>

#include "aws/signed_request.h"
#include "base/bytes.h"
#include "base/format.h"

namespace tarn::s3gw {

namespace {

std::string from_latin1(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      out += c;
    } else {
      out += static_cast<char>(0xc0 | (byte >> 6));
      out += static_cast<char>(0x80 | (byte & 0x3f));
    }
  }
  return out;
}

std::optional<std::string> decode_q(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '_') {
      out += ' ';
    } else if (text[i] == '=') {
      const auto byte = from_hex(text.substr(i + 1, 2));
      if (!byte || byte->empty()) return std::nullopt;
      out += *byte;
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

struct Word {
  std::string text;
  std::size_t length = 0;  // as encoded
};

/// The encoded word that `rest` begins with.
std::optional<Word> take_word(std::string_view rest) {
  if (!rest.starts_with("=?")) return std::nullopt;
  const auto charset_end = rest.find('?', 2);
  if (charset_end == std::string_view::npos || charset_end + 2 >= rest.size() ||
      rest[charset_end + 2] != '?') {
    return std::nullopt;
  }
  const std::string_view charset = rest.substr(2, charset_end - 2);
  const char encoding = rest[charset_end + 1];
  const auto begin = charset_end + 3;
  const auto end = rest.find("?=", begin);
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view body = rest.substr(begin, end - begin);
  std::optional<std::string> bytes;
  if (encoding == 'Q' || encoding == 'q') bytes = decode_q(body);
  if (encoding == 'B' || encoding == 'b') bytes = from_base64(body);
  if (!bytes) return std::nullopt;
  if (aws::equal_ignoring_case(charset, "iso-8859-1")) {
    bytes = from_latin1(*bytes);
  } else if (!aws::equal_ignoring_case(charset, "utf-8") &&
             !aws::equal_ignoring_case(charset, "us-ascii")) {
    return std::nullopt;
  }
  if (!is_valid_utf8(*bytes)) return std::nullopt;
  return Word{.text = *std::move(bytes), .length = end + 2};
}

bool is_printable(char c) {
  return c >= 0x20 && c < 0x7f;
}

}  // namespace

std::string decode_words(std::string_view value) {
  if (!is_valid_utf8(value)) return from_latin1(value);
  if (value.find("=?") == std::string_view::npos) return std::string(value);
  std::string out;
  std::size_t word_end = std::string::npos;  // in `out`, when only white space followed it
  while (!value.empty()) {
    if (auto word = take_word(value)) {
      // White space between two encoded words separates them and is no text.
      if (word_end != std::string::npos) out.resize(word_end);
      out += word->text;
      word_end = out.size();
      value.remove_prefix(word->length);
      continue;
    }
    if (value.front() != ' ' && value.front() != '\t') word_end = std::string::npos;
    out += value.front();
    value.remove_prefix(1);
  }
  return out;
}

std::string encode_words(std::string_view text) {
  if (std::ranges::all_of(text, is_printable)) return std::string(text);
  std::string out = "=?UTF-8?Q?";
  for (const char c : text) {
    if (c == ' ') {
      out += '_';
    } else if (is_printable(c) && c != '=' && c != '?' && c != '_') {
      out += c;
    } else {
      append_format(out, "={:02X}", static_cast<unsigned char>(c));
    }
  }
  return out += "?=";
}

}  // namespace tarn::s3gw
