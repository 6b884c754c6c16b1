#include "kv/dynamo/dynamo_codec.h"

#include <algorithm>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "base/bytes.h"
#include "base/format.h"

namespace tarn::kv::dynamo {
namespace {

namespace json = boost::json;

constexpr std::string_view kPartition = "PartitionKey";
constexpr std::string_view kKey = "ItemKey";
constexpr std::string_view kValue = "ItemValue";

// Bodies are put together as text: base64 and table names need no escaping.

std::string binary(std::string_view bytes) {
  return format(R"({{"B":"{}"}})", to_base64(bytes));
}

std::string key_of(const Address& address) {
  return format(R"({{"{}":{},"{}":{}}})", kPartition, binary(address.partition), kKey,
                binary(address.key));
}

std::string_view view(const json::string& text) {
  return {text.data(), text.size()};
}

[[noreturn]] void corrupt(std::string_view what) {
  throw Error(ErrorCode::corrupt, format("the metadata table answers without {}", what));
}

const json::object& object_in(const json::value& value, std::string_view what) {
  const json::object* object = value.if_object();
  if (object == nullptr) corrupt(what);
  return *object;
}

const json::value* find(const json::object& object, std::string_view name) {
  return object.if_contains(name);
}

std::string binary_in(const json::object& item, std::string_view name) {
  const json::value* attribute = find(item, name);
  const json::object* typed = attribute == nullptr ? nullptr : attribute->if_object();
  const json::value* bytes = typed == nullptr ? nullptr : find(*typed, "B");
  const json::string* text = bytes == nullptr ? nullptr : bytes->if_string();
  auto decoded = text == nullptr ? std::nullopt : from_base64(view(*text));
  if (!decoded) corrupt(name);
  return *std::move(decoded);
}

Address address_in(const json::object& item) {
  return {binary_in(item, kPartition), binary_in(item, kKey)};
}

Row row_in(const json::value& value) {
  const json::object& item = object_in(value, "an item");
  return {address_in(item), binary_in(item, kValue)};
}

std::string text_in(const json::object& object, std::string_view name) {
  const json::value* value = find(object, name);
  const json::string* text = value == nullptr ? nullptr : value->if_string();
  return text == nullptr ? std::string() : std::string(view(*text));
}

std::string condition_of(const Expect& expect) {
  switch (expect.kind()) {
    case Expect::Kind::absent:
      return R"x(,"ConditionExpression":"attribute_not_exists(ItemValue)")x";
    case Expect::Kind::present: return R"x(,"ConditionExpression":"attribute_exists(ItemValue)")x";
    case Expect::Kind::value:
      return format(R"(,"ConditionExpression":"#v = :v","ExpressionAttributeNames":{{"#v":"{}"}})"
                    R"(,"ExpressionAttributeValues":{{":v":{}}})",
                    kValue, binary(expect.stored()));
  }
  std::unreachable();
}

std::string start_after(const std::optional<Address>& after) {
  return after ? format(R"(,"ExclusiveStartKey":{})", key_of(*after)) : std::string();
}

bool has_key(const json::object& table, std::string_view name, std::string_view type) {
  const json::value* schema = find(table, "KeySchema");
  const json::array* keys = schema == nullptr ? nullptr : schema->if_array();
  return keys != nullptr && std::ranges::any_of(*keys, [&](const json::value& key) {
           const json::object* object = key.if_object();
           return object != nullptr && text_in(*object, "AttributeName") == name &&
                  text_in(*object, "KeyType") == type;
         });
}

}  // namespace

bool is_table_name(std::string_view name) {
  return name.size() >= 3 && name.size() <= 255 && std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '-' || c == '.';
         });
}

std::string get_item(std::string_view table, const Address& address) {
  return format(R"({{"TableName":"{}","ConsistentRead":true,"Key":{}}})", table, key_of(address));
}

std::string put_item(std::string_view table, const Address& address, std::string_view value,
                     const Expect* expect) {
  return format(R"({{"TableName":"{}","Item":{{"{}":{},"{}":{},"{}":{}}}{}}})", table, kPartition,
                binary(address.partition), kKey, binary(address.key), kValue, binary(value),
                expect == nullptr ? std::string() : condition_of(*expect));
}

std::string delete_item(std::string_view table, const Address& address) {
  return format(R"({{"TableName":"{}","Key":{}}})", table, key_of(address));
}

std::string batch_get(std::string_view table, const std::vector<Address>& addresses) {
  std::string keys;
  for (const Address& address : addresses) {
    if (!keys.empty()) keys += ',';
    keys += key_of(address);
  }
  return format(R"({{"RequestItems":{{"{}":{{"ConsistentRead":true,"Keys":[{}]}}}}}})", table,
                keys);
}

std::string query(std::string_view table, std::string_view partition, const KeyRange& range,
                  std::uint32_t limit, const std::optional<Address>& after) {
  std::string condition = "PartitionKey = :p";
  std::string values = format(R"(":p":{})", binary(partition));
  if (!range.from.empty() && !range.to.empty()) {
    condition += " AND ItemKey BETWEEN :from AND :to";
  } else if (!range.from.empty()) {
    condition += " AND ItemKey >= :from";
  } else if (!range.to.empty()) {
    condition += " AND ItemKey <= :to";
  }
  if (!range.from.empty()) append_format(values, R"(,":from":{})", binary(range.from));
  if (!range.to.empty()) append_format(values, R"(,":to":{})", binary(range.to));
  return format(R"({{"TableName":"{}","ConsistentRead":true,"ScanIndexForward":true,"Limit":{},)"
                R"("KeyConditionExpression":"{}","ExpressionAttributeValues":{{{}}}{}}})",
                table, limit, condition, values, start_after(after));
}

std::string scan(std::string_view table, std::uint32_t limit, const std::optional<Address>& after) {
  return format(R"({{"TableName":"{}","ConsistentRead":true,"Limit":{}{}}})", table, limit,
                start_after(after));
}

std::string describe_table(std::string_view table) {
  return format(R"({{"TableName":"{}"}})", table);
}

std::string create_table(std::string_view table) {
  return format(
      R"({{"TableName":"{}","BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[)"
      R"({{"AttributeName":"{}","AttributeType":"B"}},{{"AttributeName":"{}","AttributeType":"B"}}],)"
      R"("KeySchema":[{{"AttributeName":"{}","KeyType":"HASH"}},)"
      R"({{"AttributeName":"{}","KeyType":"RANGE"}}]}})",
      table, kPartition, kKey, kPartition, kKey);
}

std::optional<std::string> item_value(const json::value& answer) {
  const json::value* item = find(object_in(answer, "an object"), "Item");
  if (item == nullptr) return std::nullopt;
  const json::object& attributes = object_in(*item, "an item");
  if (attributes.empty()) return std::nullopt;
  return binary_in(attributes, kValue);
}

ItemPage items(const json::value& answer) {
  const json::object& object = object_in(answer, "an object");
  const json::value* list = find(object, "Items");
  const json::array* found = list == nullptr ? nullptr : list->if_array();
  if (found == nullptr) corrupt("items");
  ItemPage page;
  page.rows.reserve(found->size());
  for (const json::value& item : *found)
    page.rows.push_back(row_in(item));
  if (const json::value* last = find(object, "LastEvaluatedKey"); last && !last->is_null()) {
    page.next = address_in(object_in(*last, "a position"));
  }
  return page;
}

BatchAnswer batch_items(const json::value& answer, std::string_view table) {
  const json::object& object = object_in(answer, "an object");
  BatchAnswer batch;
  if (const json::value* responses = find(object, "Responses")) {
    const json::value* list = find(object_in(*responses, "responses"), table);
    if (list != nullptr) {
      const json::array* found = list->if_array();
      if (found == nullptr) corrupt("items");
      for (const json::value& item : *found)
        batch.rows.push_back(row_in(item));
    }
  }
  if (const json::value* left = find(object, "UnprocessedKeys")) {
    const json::value* of_table = find(object_in(*left, "unprocessed keys"), table);
    const json::value* list =
        of_table == nullptr ? nullptr : find(object_in(*of_table, "unprocessed keys"), "Keys");
    const json::array* keys = list == nullptr ? nullptr : list->if_array();
    if (of_table != nullptr && keys == nullptr) corrupt("unprocessed keys");
    if (keys != nullptr) {
      for (const json::value& key : *keys)
        batch.unprocessed.push_back(address_in(object_in(key, "a key")));
    }
  }
  return batch;
}

std::string table_status(const json::value& answer) {
  const json::value* described = find(object_in(answer, "an object"), "Table");
  if (described == nullptr) corrupt("a table");
  const json::object& table = object_in(*described, "a table");
  if (!has_key(table, kPartition, "HASH") || !has_key(table, kKey, "RANGE")) {
    throw Error(ErrorCode::invalid_argument, "the DynamoDB table has other keys than ours");
  }
  return text_in(table, "TableStatus");
}

Failure parse_failure(std::string_view body) {
  json::error_code error;
  const json::value parsed = json::parse(body, error);
  const json::object* object = error ? nullptr : parsed.if_object();
  if (object == nullptr) return {};
  Failure failure{.type = text_in(*object, "__type"), .message = text_in(*object, "message")};
  if (failure.message.empty()) failure.message = text_in(*object, "Message");
  const std::size_t hash = failure.type.rfind('#');
  if (hash != failure.type.npos) failure.type.erase(0, hash + 1);
  return failure;
}

}  // namespace tarn::kv::dynamo
