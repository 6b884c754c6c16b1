#include "api/schema.h"

#include <algorithm>
#include <utility>

#include "base/format.h"

namespace tarn::api {

namespace {

constexpr std::string_view kRepositoryPattern = "^[a-z0-9][a-z0-9-]{2,62}$";
constexpr std::string_view kNamespacePattern = "^(s3|gs|https?|mem|local|transient)://.*$";
constexpr std::string_view kRangePattern = R"(^bytes=((\d*-\d*,? ?)+)$)";

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_repository_name(std::string_view text) {
  return text.size() >= 3 && text.size() <= 63 && text.front() != '-' &&
         std::ranges::all_of(
             text, [](char c) { return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-'; });
}

bool is_namespace(std::string_view text) {
  constexpr std::string_view kSchemes[] = {"s3",  "gs",    "http",     "https",
                                           "mem", "local", "transient"};
  const auto end = text.find("://");
  return end != std::string_view::npos && text.find('\n') == std::string_view::npos &&
         std::ranges::find(kSchemes, text.substr(0, end)) != std::end(kSchemes);
}

/// Digits, dashes, commas and spaces such that each piece holds one dash.
bool is_range(std::string_view text) {
  if (!text.starts_with("bytes=")) return false;
  text.remove_prefix(6);
  bool any = false;
  while (!text.empty()) {
    std::size_t i = 0;
    while (i < text.size() && is_digit(text[i]))
      ++i;
    if (i == text.size() || text[i] != '-') return false;
    ++i;
    while (i < text.size() && is_digit(text[i]))
      ++i;
    if (i < text.size() && text[i] == ',') ++i;
    if (i < text.size() && text[i] == ' ') ++i;
    text.remove_prefix(i);
    any = true;
  }
  return any;
}

/// A violation and the path to it, innermost part first.
struct Violation {
  std::string text;
  std::vector<std::string> path;
};

std::optional<Violation> fail(std::string text) {
  return Violation{std::move(text), {}};
}

std::string_view type_message(Schema::Type type) {
  switch (type) {
    case Schema::Type::any: return "";
    case Schema::Type::string: return "value must be a string";
    case Schema::Type::integer: return "value must be an integer";
    case Schema::Type::boolean: return "value must be a boolean";
    case Schema::Type::array: return "value must be an array";
    case Schema::Type::object: return "value must be an object";
  }
  std::unreachable();
}

bool has_type(const Schema& schema, JsonView value) {
  switch (schema.type) {
    case Schema::Type::any: return true;
    case Schema::Type::string: return value.kind() == JsonKind::string;
    case Schema::Type::integer: return value.integer().has_value();
    case Schema::Type::boolean: return value.kind() == JsonKind::boolean;
    case Schema::Type::array: return value.kind() == JsonKind::array;
    case Schema::Type::object: return value.kind() == JsonKind::object;
  }
  std::unreachable();
}

std::string quoted_list(const std::vector<std::string>& values) {
  std::string out = "[";
  for (const std::string& value : values) {
    append_format(out, "{}\"{}\"", out.size() > 1 ? "," : "", value);
  }
  return out + "]";
}

std::optional<Violation> check(const Schema& schema, JsonView value);

std::optional<Violation> check_member(const Schema& schema, JsonView value, std::string name) {
  auto violation = check(schema, value);
  if (violation) violation->path.push_back(std::move(name));
  return violation;
}

std::optional<Violation> check_object(const Schema& schema, JsonView value) {
  for (const auto& [name, member] : value.members()) {
    const auto known = schema.properties.find(name);
    const Schema* expected = known != schema.properties.end() ? known->second : schema.additional;
    if (expected == nullptr) continue;
    if (auto violation = check_member(*expected, member, name)) return violation;
  }
  for (const std::string& name : schema.required) {
    if (value.find(name)) continue;
    return Violation{format("property \"{}\" is missing", name), {name}};
  }
  return std::nullopt;
}

std::optional<Violation> check_array(const Schema& schema, JsonView value) {
  const auto items = value.items();
  if (items.size() < schema.items_min) {
    return fail(format("minimum number of items is {}", schema.items_min));
  }
  if (schema.items == nullptr) return std::nullopt;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (auto violation = check_member(*schema.items, items[i], std::to_string(i))) return violation;
  }
  return std::nullopt;
}

std::optional<Violation> check(const Schema& schema, JsonView value) {
  for (const Schema* part : schema.all_of) {
    if (auto violation = check(*part, value)) return violation;
  }
  if (value.is_null()) {
    if (schema.nullable || schema.type == Schema::Type::any) return std::nullopt;
    return fail("Value is not nullable");
  }
  if (!has_type(schema, value)) return fail(std::string(type_message(schema.type)));
  std::optional<std::string> text;
  switch (value.kind()) {
    case JsonKind::object: return check_object(schema, value);
    case JsonKind::array: return check_array(schema, value);
    case JsonKind::string: text = find_violation(schema, std::string_view(*value.text())); break;
    case JsonKind::number:
      if (const auto number = value.integer()) text = find_violation(schema, *number);
      break;
    case JsonKind::boolean:
    case JsonKind::null: break;
  }
  return text ? fail(*std::move(text)) : std::nullopt;
}

}  // namespace

bool is_known_pattern(std::string_view pattern) {
  return pattern == kRepositoryPattern || pattern == kNamespacePattern || pattern == kRangePattern;
}

bool matches_pattern(std::string_view pattern, std::string_view text) {
  if (pattern == kRepositoryPattern) return is_repository_name(text);
  if (pattern == kNamespacePattern) return is_namespace(text);
  TARN_ASSERT(pattern == kRangePattern);
  return is_range(text);
}

std::optional<std::string> find_violation(const Schema& schema, std::string_view text) {
  if (!schema.values.empty() && std::ranges::find(schema.values, text) == schema.values.end()) {
    return "value is not one of the allowed values " + quoted_list(schema.values);
  }
  if (text.size() < schema.length_min) {
    return format("minimum string length is {}", schema.length_min);
  }
  if (!schema.pattern.empty() && !matches_pattern(schema.pattern, text)) {
    return format("string doesn't match the regular expression \"{}\"", schema.pattern);
  }
  return std::nullopt;
}

std::optional<std::string> find_violation(const Schema& schema, std::int64_t number) {
  if (schema.minimum && number < *schema.minimum) {
    return format("number must be at least {}", *schema.minimum);
  }
  if (schema.maximum && number > *schema.maximum) {
    return format("number must be at most {}", *schema.maximum);
  }
  return std::nullopt;
}

std::optional<std::string> find_violation(const Schema& schema, JsonView value) {
  const auto violation = check(schema, value);
  if (!violation) return std::nullopt;
  std::string out = "doesn't match schema";
  if (!schema.name.empty()) append_format(out, " #/components/schemas/{}", schema.name);
  out += ": ";
  if (!violation->path.empty()) {
    out += "Error at \"";
    for (std::size_t i = violation->path.size(); i > 0; --i) {
      append_format(out, "/{}", violation->path[i - 1]);
    }
    out += "\": ";
  }
  return out + violation->text;
}

}  // namespace tarn::api
