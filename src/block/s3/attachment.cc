#include "block/s3/attachment.h"

#include <algorithm>

namespace tarn::block::s3 {

namespace {

constexpr std::string_view kSpecials = "()<>@,;:\\\"/[]?=";

bool is_special(char c) {
  return kSpecials.find(c) != std::string_view::npos;
}

bool is_printable(char c) {
  return c >= ' ' && c <= '~';
}

bool is_token_char(char c) {
  return is_printable(c) && c != ' ' && !is_special(c);
}

/// Stands for itself in an encoded name.
bool is_plain(char c) {
  return is_token_char(c) && c != '*' && c != '\'' && c != '%';
}

std::string encoded(std::string_view name) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : name) {
    if (is_plain(c)) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
  }
  return out;
}

std::string quoted(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

}  // namespace

std::string attachment(std::string_view file_name) {
  std::string out = "attachment; filename";
  if (!std::ranges::all_of(file_name, [](char c) { return is_printable(c) || c == '\t'; })) {
    return out + "*=utf-8''" + encoded(file_name);
  }
  const bool is_token = !file_name.empty() && std::ranges::all_of(file_name, is_token_char);
  return out + '=' + (is_token ? std::string(file_name) : quoted(file_name));
}

}  // namespace tarn::block::s3
