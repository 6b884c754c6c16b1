#include "rest/byte_range.h"

#include <algorithm>
#include <charconv>

namespace tarn::rest {

namespace {

/// Digits only; a number too large for us is beyond every object.
std::optional<std::uint64_t> parse_number(std::string_view text) {
  const bool digits =
      !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  if (!digits) return std::nullopt;
  std::uint64_t number = 0;
  const auto error = std::from_chars(text.data(), text.data() + text.size(), number).ec;
  return error == std::errc{} ? number : UINT64_MAX;
}

}  // namespace

std::expected<ServedRange, RangeError> parse_range(std::string_view header, std::uint64_t size) {
  constexpr std::string_view kUnit = "bytes=";
  const auto malformed = std::unexpected(RangeError::malformed);
  if (!header.starts_with(kUnit)) return malformed;
  header.remove_prefix(kUnit.size());
  const auto dash = header.find('-');
  if (dash == std::string_view::npos) return malformed;
  const std::string_view begin = header.substr(0, dash);
  const std::string_view end = header.substr(dash + 1);
  const auto first = parse_number(begin);
  const auto last = parse_number(end);
  if (begin.empty()) {
    if (!last) return malformed;
    if (*last == 0 || size == 0) return std::unexpected(RangeError::unsatisfiable);
    return ServedRange{size - std::min(*last, size), size - 1};
  }
  if (!first || (!end.empty() && !last) || (last && *last < *first)) return malformed;
  if (*first >= size) return std::unexpected(RangeError::unsatisfiable);
  return ServedRange{*first, std::min(last.value_or(size - 1), size - 1)};
}

}  // namespace tarn::rest
