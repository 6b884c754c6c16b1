#include "versioning/refs/ref_expression.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace tarn::versioning {
namespace {

constexpr std::string_view kModifiers = "~^@$";

std::unexpected<ParseError> invalid() {
  return std::unexpected(ParseError{"ref: invalid value: validation error"});
}

bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

/// Digits only; empty is the default of one.
std::optional<std::uint64_t> parse_count(std::string_view digits) {
  if (digits.empty()) return 1;
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (!std::ranges::all_of(digits, is_digit)) return std::nullopt;
  std::uint64_t count = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), count);
  if (error != std::errc{}) return std::nullopt;
  return count;
}

RefModifier::Kind kind_of(char sign) {
  switch (sign) {
    case '~': return RefModifier::Kind::ancestor;
    case '^': return RefModifier::Kind::parent;
    case '@': return RefModifier::Kind::committed;
    default: return RefModifier::Kind::staged;
  }
}

bool stands_alone(RefModifier::Kind kind) {
  return kind == RefModifier::Kind::committed || kind == RefModifier::Kind::staged;
}

}  // namespace

std::expected<RefExpression, ParseError> parse_ref(std::string_view text) {
  const std::size_t base_size = std::min(text.find_first_of(kModifiers), text.size());
  if (base_size == 0 || std::ranges::any_of(text, is_space)) return invalid();
  RefExpression result{.base = std::string(text.substr(0, base_size)), .modifiers = {}};
  for (std::string_view rest = text.substr(base_size); !rest.empty();) {
    const std::string_view modifier =
        rest.substr(0, std::min(rest.find_first_of(kModifiers, 1), rest.size()));
    rest.remove_prefix(modifier.size());
    const RefModifier::Kind kind = kind_of(modifier.front());
    const auto count = parse_count(modifier.substr(1));
    if (!count) {
      return std::unexpected(ParseError{"could not parse modifier " + std::string(modifier) +
                                        ": ref: invalid value: validation error"});
    }
    result.modifiers.push_back({.kind = kind, .count = *count, .counted = modifier.size() > 1});
  }
  return result;
}

bool combines_well(const RefExpression& expression) {
  const bool alone = expression.modifiers.size() == 1;
  return std::ranges::all_of(expression.modifiers, [alone](RefModifier modifier) {
    return !stands_alone(modifier.kind) || (alone && !modifier.counted);
  });
}

bool looks_like_commit_id(std::string_view text) {
  const auto is_hex = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  };
  return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, is_hex);
}

}  // namespace tarn::versioning
