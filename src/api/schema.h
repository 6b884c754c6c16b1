// The part of JSON Schema the contract uses, checked against documents. Messages are the
// reference's, up to their explanatory tail.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/json_reader.h"

namespace tarn::api {

/// The patterns of the contract, recognised by their text; there is no regex engine here.
bool is_known_pattern(std::string_view pattern);
/// Whether `text` matches; `pattern` is a known one.
bool matches_pattern(std::string_view pattern, std::string_view text);

struct Schema {
  enum class Type : std::uint8_t { any, string, integer, boolean, array, object };

  Type type = Type::any;
  bool nullable = false;
  std::string name;  // of the component it is; "" for one written in place
  // Sub-schemas belong to the Contract.
  std::map<std::string, const Schema*> properties;
  std::vector<std::string> required;
  const Schema* additional = nullptr;  // of members that are not in properties
  const Schema* items = nullptr;
  std::vector<const Schema*> all_of;
  std::optional<std::int64_t> minimum, maximum;
  std::size_t length_min = 0;
  std::size_t items_min = 0;
  std::vector<std::string> values;  // enum
  std::string pattern;
};

/// What is wrong with `value`; nullopt if nothing is.
std::optional<std::string> find_violation(const Schema& schema, JsonView value);

/// The same for one text, as a parameter holds it (the schema's type is string).
std::optional<std::string> find_violation(const Schema& schema, std::string_view text);

/// The same for a number (the schema's type is integer).
std::optional<std::string> find_violation(const Schema& schema, std::int64_t number);

}  // namespace tarn::api
