#include "base/id.h"

#include <algorithm>

namespace tarn {

namespace {

// The C library's classifiers depend on the locale; these grammars do not.
bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_word(char c) {
  return is_lower(c) || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_';
}

}  // namespace

bool RepositoryIdRule::matches(std::string_view text) {
  return text.size() >= 3 && text.size() <= 63 && text.front() != '-' &&
         std::ranges::all_of(text, [](char c) { return is_lower(c) || is_digit(c) || c == '-'; });
}

bool BranchIdRule::matches(std::string_view text) {
  return !text.empty() && text.front() != '-' &&
         std::ranges::all_of(text, [](char c) { return is_word(c) || c == '-'; });
}

bool TagIdRule::matches(std::string_view text) {
  if (text.empty() || text == "@") return false;
  if (text.ends_with('.') || text.ends_with(".lock")) return false;
  if (text.find("..") != std::string_view::npos || text.find("@{") != std::string_view::npos) {
    return false;
  }
  constexpr std::string_view kForbidden = "/^:?*[\\";
  return std::ranges::none_of(text, [&](char c) {
    return static_cast<unsigned char>(c) <= 0x20 || kForbidden.find(c) != std::string_view::npos;
  });
}

bool CommitIdRule::matches(std::string_view text) {
  return text.size() == 64 &&
         std::ranges::all_of(text, [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); });
}

}  // namespace tarn
