#include "app/config_values.h"

#include <array>
#include <charconv>
#include <cmath>

#include "base/format.h"

namespace tarn::app {

namespace {

std::unexpected<ParseError> not_a(std::string_view what, std::string_view text) {
  return std::unexpected(ParseError{format("'{}' is not {}", text, what)});
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
    text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t'))
    text.remove_suffix(1);
  return text;
}

}  // namespace

std::expected<bool, ParseError> parse_bool(std::string_view text) {
  for (const std::string_view yes : {"true", "True", "TRUE", "t", "T", "1"}) {
    if (text == yes) return true;
  }
  for (const std::string_view no : {"false", "False", "FALSE", "f", "F", "0"}) {
    if (text == no) return false;
  }
  return not_a("a boolean", text);
}

std::expected<std::uint64_t, ParseError> parse_size(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return not_a("a size", text);
  const std::string_view unit = trimmed(std::string_view(end, text.data() + text.size()));

  struct Unit {
    std::string_view name;
    std::uint64_t bytes;
  };

  constexpr std::array<Unit, 9> kUnits = {{{"", 1},
                                           {"B", 1},
                                           {"KB", 1'000},
                                           {"MB", 1'000'000},
                                           {"GB", 1'000'000'000},
                                           {"KiB", 1ULL << 10},
                                           {"MiB", 1ULL << 20},
                                           {"GiB", 1ULL << 30},
                                           {"TiB", 1ULL << 40}}};
  for (const Unit& known : kUnits) {
    if (unit != known.name) continue;
    std::uint64_t bytes = 0;
    if (__builtin_mul_overflow(number, known.bytes, &bytes)) return not_a("a size in range", text);
    return bytes;
  }
  return not_a("a size", text);
}

std::expected<std::chrono::milliseconds, ParseError> parse_duration(std::string_view text) {
  struct Unit {
    std::string_view name;
    double milliseconds;
  };

  // "ms" before "m": the longest name that fits is meant.
  constexpr std::array<Unit, 6> kUnits = {
      {{"ns", 1e-6}, {"us", 1e-3}, {"ms", 1}, {"s", 1e3}, {"m", 60e3}, {"h", 3600e3}}};
  if (text == "0") return std::chrono::milliseconds(0);
  double total = 0;
  std::string_view rest = text;
  if (rest.empty()) return not_a("a duration", text);
  while (!rest.empty()) {
    double number = 0;
    const auto [end, error] =
        std::from_chars(rest.data(), rest.data() + rest.size(), number, std::chars_format::fixed);
    if (error != std::errc{} || std::signbit(number)) return not_a("a duration", text);
    rest = std::string_view(end, rest.data() + rest.size());
    const Unit* found = nullptr;
    for (const Unit& unit : kUnits) {
      if (rest.starts_with(unit.name) &&
          (found == nullptr || unit.name.size() > found->name.size())) {
        found = &unit;
      }
    }
    if (found == nullptr) return not_a("a duration (such as 30s, 5m or 1h30m)", text);
    total += number * found->milliseconds;
    rest.remove_prefix(found->name.size());
  }
  constexpr double kMax = 100.0 * 365 * 24 * 3600e3;
  if (!(total <= kMax)) return not_a("a duration in range", text);
  return std::chrono::milliseconds(static_cast<std::int64_t>(total));
}

std::vector<std::string> parse_list(std::string_view text) {
  std::vector<std::string> items;
  while (!text.empty()) {
    const auto comma = text.find(',');
    const std::string_view item = trimmed(text.substr(0, comma));
    if (!item.empty()) items.emplace_back(item);
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
  }
  return items;
}

}  // namespace tarn::app
