// DynamoDB's JSON: bodies of our requests and what its answers hold. Pure; internal to kv/dynamo.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/value.hpp>

#include "base/error.h"
#include "kv/store.h"

namespace tarn::kv::dynamo {

/// 3..255 letters, digits, '_', '-', '.'.
bool is_table_name(std::string_view name);

// --- requests ---

std::string get_item(std::string_view table, const Address& address);
/// `expect` null: unconditional.
std::string put_item(std::string_view table, const Address& address, std::string_view value,
                     const Expect* expect);
std::string delete_item(std::string_view table, const Address& address);
/// At most 100 addresses, all different.
std::string batch_get(std::string_view table, const std::vector<Address>& addresses);

/// Keys from `from` (inclusive; empty = the first) up to `to` (inclusive; empty = the last).
struct KeyRange {
  std::string from;
  std::string to;
};

std::string query(std::string_view table, std::string_view partition, const KeyRange& range,
                  std::uint32_t limit, const std::optional<Address>& after);
std::string scan(std::string_view table, std::uint32_t limit, const std::optional<Address>& after);
std::string describe_table(std::string_view table);
std::string create_table(std::string_view table);

// --- answers; all throw Error{corrupt} when something is not as it must be ---

std::optional<std::string> item_value(const boost::json::value& answer);

struct ItemPage {
  std::vector<Row> rows;
  std::optional<Address> next;  // there may be more after it
};

ItemPage items(const boost::json::value& answer);

struct BatchAnswer {
  std::vector<Row> rows;
  std::vector<Address> unprocessed;
};

BatchAnswer batch_items(const boost::json::value& answer, std::string_view table);

/// "ACTIVE", "CREATING", ...; throws Error{invalid_argument} if the table has other keys than ours.
std::string table_status(const boost::json::value& answer);

struct Failure {
  std::string type;  // "ConditionalCheckFailedException"; empty if the body says nothing
  std::string message;
};

/// Of any body at all.
Failure parse_failure(std::string_view body);

}  // namespace tarn::kv::dynamo
