#include "catalog/listing.h"

#include <algorithm>

namespace tarn::catalog {

std::optional<std::string_view> folded_prefix(std::string_view key, std::string_view prefix,
                                              std::string_view delimiter) {
  if (delimiter.empty()) return std::nullopt;
  const auto found = key.find(delimiter, prefix.size());
  if (found == std::string_view::npos) return std::nullopt;
  return key.substr(0, found + delimiter.size());
}

std::string after_prefix(std::string_view prefix) {
  std::string next(prefix);
  while (!next.empty()) {
    auto last = static_cast<unsigned char>(next.back());
    if (last != 0xff) {
      next.back() = static_cast<char>(last + 1);
      return next;
    }
    next.pop_back();
  }
  return next;
}

std::string listing_start(std::string_view prefix, std::string_view delimiter,
                          std::string_view after) {
  if (after.empty() || after < prefix) return std::string(prefix);
  if (after.starts_with(prefix)) {
    const auto folded = folded_prefix(after, prefix, delimiter);
    if (folded && *folded == after) return after_prefix(after);
  }
  // The least key greater than `after`.
  return std::string(after) + '\0';
}

}  // namespace tarn::catalog
