#include "kv/dynamo/testing/fake_dynamo.h"

#include <algorithm>

#include <boost/json/parse.hpp>

#include "base/bytes.h"
#include "base/error.h"
#include "base/format.h"
#include "base/hash.h"
#include "io/byte_source.h"

namespace tarn::kv::testing {
namespace {

namespace json = boost::json;

constexpr std::string_view kTarget = "DynamoDB_20120810.";

constexpr std::size_t kItemBytesMax = 400 * 1'024;
constexpr std::size_t kPageBytesMax = 1'024 * 1'024;

std::string text(const json::value& value) {
  return std::string(value.as_string().c_str(), value.as_string().size());
}

std::string bytes(const json::value& attribute) {
  return from_base64(text(attribute.as_object().at("B"))).value();
}

std::string encode(std::string_view name, std::string_view value) {
  return format(R"("{}":{{"B":"{}"}})", name, to_base64(value));
}

std::string encode_key(const std::pair<std::string, std::string>& key) {
  return "{" + encode("PartitionKey", key.first) + "," + encode("ItemKey", key.second) + "}";
}

std::string encode_item(const std::pair<std::string, std::string>& key, std::string_view value) {
  return "{" + encode("PartitionKey", key.first) + "," + encode("ItemKey", key.second) + "," +
         encode("ItemValue", value) + "}";
}

/// "PutItem"; "" for what is no call.
std::string call_of(std::string_view target) {
  return std::string(target.starts_with(kTarget) ? target.substr(kTarget.size()) : "");
}

}  // namespace

FakeDynamo::FakeDynamo()
    : server_(std::make_unique<http::testing::LocalServer>(
          [this](Context& ctx, http::Request& request, http::Response& response) {
            return respond(ctx, request, response);
          })) {}

FakeDynamo::~FakeDynamo() = default;

void FakeDynamo::decide(Decide decide) {
  std::lock_guard lock(mutex_);
  decide_ = std::move(decide);
  names_.clear();
}

void FakeDynamo::answer_keys_at_most(std::size_t keys) {
  std::lock_guard lock(mutex_);
  batch_keys_max_ = keys;
}

void FakeDynamo::look_at_items(std::size_t items) {
  std::lock_guard lock(mutex_);
  page_items_max_ = items;
}

void FakeDynamo::make_table(std::string_view name, std::string_view hash_key) {
  std::lock_guard lock(mutex_);
  table_ = name;
  hash_key_ = hash_key;
}

int FakeDynamo::calls() const {
  std::lock_guard lock(mutex_);
  return static_cast<int>(names_.size());
}

std::vector<std::string> FakeDynamo::call_names() const {
  std::lock_guard lock(mutex_);
  return names_;
}

std::string FakeDynamo::last_authorization() const {
  std::lock_guard lock(mutex_);
  return authorization_;
}

Task<http::testing::ServiceAnswer> FakeDynamo::serve(Context&,
                                                     http::testing::ServiceRequest request) {
  Answer answer = handle(call_of(request.header("x-amz-target").value_or("")), request.body);
  co_return http::testing::ServiceAnswer{
      .status = answer.status,
      .headers = {{"x-amz-crc32", std::to_string(crc32(0, answer.body))}},
      .body = std::move(answer.body)};
}

http::testing::ServiceAnswer FakeDynamo::throttled() {
  return {.status = 400, .body = R"({"__type":"com.amazon#ThrottlingException"})"};
}

void FakeDynamo::clear() {
  std::lock_guard lock(mutex_);
  items_.clear();
  names_.clear();
}

Task<> FakeDynamo::respond(Context& ctx, http::Request& request, http::Response& response) {
  const std::string body = co_await io::read_all(ctx, request.body(), 64 << 20);
  const std::string call = call_of(request.header("x-amz-target").value_or(""));
  std::optional<DynamoFault> fault;
  {
    std::lock_guard lock(mutex_);
    names_.push_back(call);
    authorization_ = request.header("authorization").value_or("");
    if (decide_) fault = decide_(call, static_cast<int>(names_.size()));
  }
  using Kind = DynamoFault::Kind;
  Answer answer;
  if (!fault || fault->kind != Kind::refuse) answer = handle(call, body);
  if (fault && fault->kind == Kind::lose) {
    // Announces a body and breaks off.
    response.set_status(200);
    response.add_header("Content-Type", "application/x-amz-json-1.0");
    co_await response.begin(ctx);
    co_await response.write(ctx, "{");
    throw Error(ErrorCode::unavailable, "lost on purpose");
  }
  if (fault && (fault->kind == Kind::refuse || fault->kind == Kind::ignore)) {
    answer.status = fault->status;
    answer.body = fault->type.empty() ? "<html>no JSON</html>"
                                      : format(R"({{"__type":"com.amazon#{}","message":"{}"}})",
                                               fault->type, fault->message);
  }
  const std::uint32_t crc = crc32(0, answer.body);
  if (fault && fault->kind == Kind::garble) answer.body = "{\"Item\":";
  response.set_status(answer.status);
  const bool damaged = fault && fault->kind == Kind::bad_crc;
  const bool garbled = fault && fault->kind == Kind::garble;
  if (!garbled) response.add_header("x-amz-crc32", std::to_string(damaged ? crc ^ 1U : crc));
  co_await response.send(ctx, answer.body);
}

FakeDynamo::Answer FakeDynamo::handle(std::string_view call, const std::string& body) {
  std::lock_guard lock(mutex_);
  try {
    return {.body = run(call, json::parse(body).as_object())};
  } catch (const Refusal& refusal) {
    return {.status = 400,
            .body = format(R"({{"__type":"com.amazonaws.dynamodb.v20120810#{}","message":"{}"}})",
                           refusal.type, refusal.message)};
  }
}

std::string FakeDynamo::run(std::string_view call, const json::object& request) {
  if (call == "BatchGetItem") return batch_get(request);
  const std::string table = text(request.at("TableName"));
  if (call == "CreateTable") {
    if (table_ == table) throw Refusal{"ResourceInUseException"};
    if (text(request.at("BillingMode")) != "PAY_PER_REQUEST") throw Refusal{"ValidationException"};
    table_ = table;
    return "{}";
  }
  if (table_ != table) throw Refusal{"ResourceNotFoundException"};
  if (call == "DescribeTable") {
    const bool creating = creating_looks_ > 0 && creating_looks_-- > 0;
    return format(R"({{"Table":{{"TableStatus":"{}","KeySchema":[)"
                  R"({{"AttributeName":"{}","KeyType":"HASH"}},)"
                  R"({{"AttributeName":"ItemKey","KeyType":"RANGE"}}]}}}})",
                  creating ? "CREATING" : "ACTIVE", hash_key_);
  }
  if (call == "PutItem") return put(request);
  if (call == "Query" || call == "Scan") return list(call, request);
  const json::object& key = request.at("Key").as_object();
  const Key address(bytes(key.at("PartitionKey")), bytes(key.at("ItemKey")));
  if (call == "DeleteItem") {
    items_.erase(address);
    return "{}";
  }
  if (call != "GetItem") throw Refusal{"UnknownOperationException"};
  if (!request.at("ConsistentRead").as_bool()) throw Refusal{"ValidationException"};
  const auto item = items_.find(address);
  return item == items_.end() ? "{}"
                              : format(R"({{"Item":{}}})", encode_item(item->first, item->second));
}

std::string FakeDynamo::put(const json::object& request) {
  const json::object& item = request.at("Item").as_object();
  const Key key(bytes(item.at("PartitionKey")), bytes(item.at("ItemKey")));
  std::string value = bytes(item.at("ItemValue"));
  if (key.first.empty() || key.second.empty() || key.second.size() > 1'024) {
    throw Refusal{"ValidationException", "key"};
  }
  if (28 + key.first.size() + key.second.size() + value.size() > kItemBytesMax) {
    throw Refusal{"ValidationException", "Item size has exceeded the maximum allowed size"};
  }
  const auto stored = items_.find(key);
  if (const json::value* condition = request.if_contains("ConditionExpression")) {
    const std::string expression = text(*condition);
    bool holds = false;
    if (expression == "attribute_not_exists(ItemValue)") {
      holds = stored == items_.end();
    } else if (expression == "attribute_exists(ItemValue)") {
      holds = stored != items_.end();
    } else if (expression == "#v = :v" &&
               text(request.at("ExpressionAttributeNames").as_object().at("#v")) == "ItemValue") {
      const std::string wanted =
          bytes(request.at("ExpressionAttributeValues").as_object().at(":v"));
      holds = stored != items_.end() && stored->second == wanted;
    } else {
      throw Refusal{"ValidationException", "expression"};
    }
    if (!holds) throw Refusal{"ConditionalCheckFailedException"};
  }
  items_[key] = std::move(value);
  return "{}";
}

std::string FakeDynamo::batch_get(const json::object& request) {
  const json::object& tables = request.at("RequestItems").as_object();
  if (tables.size() != 1 || !table_) throw Refusal{"ValidationException"};
  const json::object& asked = tables.at(*table_).as_object();
  const json::array& keys = asked.at("Keys").as_array();
  if (keys.empty() || keys.size() > 100 || !asked.at("ConsistentRead").as_bool()) {
    throw Refusal{"ValidationException"};
  }
  std::string found;
  std::string left;
  std::size_t seen = 0;
  std::map<Key, bool> distinct;
  for (const json::value& value : keys) {
    const json::object& parts = value.as_object();
    const Key key(bytes(parts.at("PartitionKey")), bytes(parts.at("ItemKey")));
    if (!distinct.emplace(key, true).second) throw Refusal{"ValidationException", "duplicates"};
    if (seen++ >= batch_keys_max_) {
      left += (left.empty() ? "" : ",") + encode_key(key);
      continue;
    }
    const auto item = items_.find(key);
    if (item == items_.end()) continue;
    found += (found.empty() ? "" : ",") + encode_item(key, item->second);
  }
  const std::string unprocessed =
      left.empty() ? "{}"
                   : format(R"({{"{}":{{"ConsistentRead":true,"Keys":[{}]}}}})", *table_, left);
  return format(R"({{"Responses":{{"{}":[{}]}},"UnprocessedKeys":{}}})", *table_, found,
                unprocessed);
}

std::string FakeDynamo::list(std::string_view call, const json::object& request) {
  if (!request.at("ConsistentRead").as_bool()) throw Refusal{"ValidationException"};
  std::size_t limit = std::min(page_items_max_, request.at("Limit").to_number<std::size_t>());
  if (limit == 0) throw Refusal{"ValidationException"};
  Key first;
  std::optional<std::string> partition;
  std::string last(2'000, '\xff');
  if (call == "Query") {
    const json::object& values = request.at("ExpressionAttributeValues").as_object();
    partition = bytes(values.at(":p"));
    first.first = *partition;
    const json::value* from = values.if_contains(":from");
    const json::value* to = values.if_contains(":to");
    if (from != nullptr) first.second = bytes(*from);
    if (to != nullptr) last = bytes(*to);
    if ((from && first.second.empty()) || first.second.size() > 1'024 || first.second > last) {
      throw Refusal{"ValidationException", "range"};
    }
  }
  auto item = items_.lower_bound(first);
  if (const json::value* start = request.if_contains("ExclusiveStartKey")) {
    const json::object& key = start->as_object();
    item = items_.upper_bound({bytes(key.at("PartitionKey")), bytes(key.at("ItemKey"))});
  }
  // Now and then a page finds nothing and still has a position, as happens in partitions that were
  // split.
  const bool first_of_all = item != items_.end() && item->first.second == std::string(1, '\0');
  const bool empty = page_items_max_ < 1'000 && names_.size() % 3 == 0 && !first_of_all;
  std::string found;
  std::optional<Key> position;
  std::size_t count = 0;
  std::size_t size = 0;
  for (; item != items_.end(); ++item) {
    if ((partition && item->first.first != *partition) || item->first.second > last) break;
    if (empty || count == limit || size > kPageBytesMax) {
      position = count > 0 ? std::prev(item)->first : std::optional<Key>();
      break;
    }
    found += (found.empty() ? "" : ",") + encode_item(item->first, item->second);
    ++count;
    size += item->second.size();
  }
  if (empty && item != items_.end() && !position) {
    // A position just before the item that would have come: the previous one, or one that is none.
    Key before = item->first;
    if (before.second.back() != '\0') {
      before.second.back() =
          static_cast<char>(static_cast<unsigned char>(before.second.back()) - 1);
      before.second += std::string(1'024 - before.second.size(), '\xff');
    } else if (before.second.size() > 1) {
      before.second.pop_back();
    }
    position = before;
  }
  return format(
      R"({{"Items":[{}]{}}})", found,
      position ? format(R"(,"LastEvaluatedKey":{})", encode_key(*position)) : std::string());
}

}  // namespace tarn::kv::testing
