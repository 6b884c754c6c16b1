#include "s3gw/byte_range.h"

#include <algorithm>
#include <charconv>

#include "aws/signed_request.h"
#include "base/format.h"

namespace tarn::s3gw {

namespace {

bool is_number(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

/// Decimal digits; a number too large to hold counts as the largest.
std::uint64_t to_number(std::string_view digits) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return error == std::errc() ? value : UINT64_MAX;
}

}  // namespace

RangeAnswer resolve_range(std::optional<std::string_view> header, std::uint64_t size) {
  using Kind = RangeAnswer::Kind;
  constexpr std::string_view kUnit = "bytes=";
  if (!header || !aws::starts_with_ignoring_case(*header, kUnit)) return {};
  const std::string_view spec = header->substr(kUnit.size());
  const auto dash = spec.find('-');
  if (dash == std::string_view::npos) return {};
  const std::string_view first_text = spec.substr(0, dash);
  const std::string_view last_text = spec.substr(dash + 1);
  if (first_text.empty()) {
    if (!is_number(last_text)) return {};
    const std::uint64_t count = std::min(to_number(last_text), size);
    if (count == 0) return {.kind = Kind::unsatisfiable};
    return {.kind = Kind::part, .range = {.first = size - count, .last = size - 1}};
  }
  if (!is_number(first_text) || (!last_text.empty() && !is_number(last_text))) return {};
  const std::uint64_t first = to_number(first_text);
  const std::uint64_t last = last_text.empty() ? UINT64_MAX : to_number(last_text);
  if (first > last) return {};
  if (first >= size) return {.kind = Kind::unsatisfiable};
  return {.kind = Kind::part, .range = {.first = first, .last = std::min(last, size - 1)}};
}

std::string content_range(const block::ByteRange& range, std::uint64_t size) {
  return format("bytes {}-{}/{}", range.first, range.last, size);
}

}  // namespace tarn::s3gw
