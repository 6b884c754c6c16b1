#include "rest/parameters.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "api/json_writer.h"
#include "base/bytes.h"
#include "base/format.h"
#include "base/time.h"

namespace tarn::rest {

namespace {

using api::ParameterRule;
using api::Schema;

std::string_view place_of(ParameterRule::In in) {
  switch (in) {
    case ParameterRule::In::path: return "path";
    case ParameterRule::In::query: return "query";
    case ParameterRule::In::header: return "header";
  }
  std::unreachable();
}

Refusal violation(const ParameterRule& rule, std::string_view text) {
  return {format("parameter \"{}\" in {} has an error: {}", rule.name, place_of(rule.in), text)};
}

Refusal unusable(const ParameterRule& rule, std::string_view text) {
  return {format("Invalid format for parameter {}: {}", rule.name, text), true};
}

/// Decimal with an optional sign, as the reference reads numbers: "+5" and "05" count.
std::optional<std::int64_t> parse_integer(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<bool> parse_flag(std::string_view text) {
  for (const std::string_view word : {"1", "t", "T", "TRUE", "true", "True"}) {
    if (text == word) return true;
  }
  for (const std::string_view word : {"0", "f", "F", "FALSE", "false", "False"}) {
    if (text == word) return false;
  }
  return std::nullopt;
}

/// What is wrong with one non-empty value; nullopt if nothing is.
std::optional<Refusal> check_value(const ParameterRule& rule, std::string_view value) {
  std::optional<std::string> wrong;
  if (rule.schema->type == Schema::Type::integer) {
    const auto number = parse_integer(value);
    wrong = number ? find_violation(*rule.schema, *number)
                   : format("value {}: an invalid integer: invalid syntax", value);
  } else if (rule.schema->type == Schema::Type::boolean) {
    if (!parse_flag(value)) wrong = format("value {}: an invalid boolean: invalid syntax", value);
  } else if (rule.schema->type == Schema::Type::string) {
    wrong = find_violation(*rule.schema, value);
  }
  if (wrong) return violation(rule, *wrong);
  if (rule.is_date_time && !parse_rfc3339(value)) {
    return violation(rule, "string doesn't match the format \"date-time\"");
  }
  return std::nullopt;
}

bool has_broken_escape(std::string_view text) {
  return text.find('%') != std::string_view::npos && !percent_decode(text);
}

/// The query without the parts that cannot be decoded, which the reference drops.
std::vector<http::QueryParam> readable_part(std::string_view raw) {
  std::string kept;
  for (std::size_t begin = 0; begin <= raw.size();) {
    const std::size_t end = std::min(raw.find('&', begin), raw.size());
    const std::string_view part = raw.substr(begin, end - begin);
    if (!has_broken_escape(part)) kept.append(kept.empty() ? "" : "&").append(part);
    begin = end + 1;
  }
  return http::parse_query(kept);
}

bool same_header(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return lower(x) == lower(y);
  });
}

void find_values(const ParameterRule& rule, const std::vector<http::QueryParam>& query,
                 const http::Request& request, const http::RouteMatch& match,
                 std::vector<std::string_view>& values) {
  values.clear();
  switch (rule.in) {
    case ParameterRule::In::path: values.push_back(match.param(rule.name)); break;
    case ParameterRule::In::query:
      for (const auto& param : query) {
        if (param.name == rule.name) values.push_back(param.value);
      }
      break;
    case ParameterRule::In::header:
      if (!request.header(rule.name)) break;
      for (const auto& [name, value] : request.headers()) {
        if (same_header(name, rule.name)) values.push_back(value);
      }
      break;
  }
}

std::optional<Refusal> check_empty(const ParameterRule& rule) {
  if (rule.in == ParameterRule::In::header && rule.allow_empty) {
    return unusable(rule, format("parameter '{}' is empty, can't bind its value", rule.name));
  }
  if (rule.allow_empty) return std::nullopt;
  if (rule.has_default) {
    return unusable(rule, format("multiple values for single value parameter '{}'", rule.name));
  }
  return violation(rule, "empty value is not allowed");
}

std::optional<Refusal> check_all(const ParameterRule& rule,
                                 const std::vector<std::string_view>& values) {
  if (values.empty()) {
    if (rule.required) return violation(rule, "value is required but missing");
    return std::nullopt;
  }
  if (rule.schema->type == Schema::Type::array) {
    const bool any_empty = std::ranges::any_of(values, &std::string_view::empty);
    return any_empty ? check_empty(rule) : std::nullopt;
  }
  auto refusal = values[0].empty() ? check_empty(rule) : check_value(rule, values[0]);
  if (refusal || values.size() == 1) return refusal;
  if (rule.in == ParameterRule::In::header) {
    return Refusal{format("Expected one value for {}, got {}", rule.name, values.size()), true};
  }
  return unusable(rule, format("multiple values for single value parameter '{}'", rule.name));
}

}  // namespace

const std::string& Parameters::text(std::string_view name) const {
  static const std::string kNone;
  const auto found = std::ranges::find(values_, name, &decltype(values_)::value_type::first);
  return found == values_.end() ? kNone : found->second;
}

bool Parameters::has(std::string_view name) const {
  return std::ranges::find(values_, name, &decltype(values_)::value_type::first) != values_.end();
}

std::int64_t Parameters::integer(std::string_view name) const {
  return parse_integer(text(name)).value_or(0);
}

bool Parameters::flag(std::string_view name) const {
  return parse_flag(text(name)).value_or(false);
}

std::vector<std::string> Parameters::list(std::string_view name) const {
  std::vector<std::string> list;
  for (const auto& [key, value] : values_) {
    if (key == name) list.push_back(value);
  }
  return list;
}

void Parameters::add(std::string_view name, std::string_view value) {
  values_.emplace_back(name, is_valid_utf8(value) ? std::string(value) : api::to_valid_utf8(value));
}

std::expected<Parameters, Refusal> read_parameters(const api::OperationRule& rule,
                                                   const http::Request& request,
                                                   const http::RouteMatch& match) {
  std::vector<http::QueryParam> part;
  const bool broken = has_broken_escape(request.raw_query());
  if (broken) part = readable_part(request.raw_query());
  const auto& query = broken ? part : request.query();
  Parameters parameters;
  parameters.reserve(rule.parameters.size());
  std::vector<std::string_view> values;
  for (const ParameterRule& parameter : rule.parameters) {
    find_values(parameter, query, request, match, values);
    if (auto refusal = check_all(parameter, values)) return std::unexpected(*std::move(refusal));
    for (const std::string_view value : values)
      parameters.add(parameter.name, value);
    if (values.empty() && parameter.has_default) {
      parameters.add(parameter.name, parameter.default_text);
    }
  }
  return parameters;
}

}  // namespace tarn::rest
