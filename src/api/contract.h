// What the contract (openapi.json) says of each operation: where it is mounted, which parameters
// and which body it takes.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/schema.h"

namespace tarn::api {

struct ParameterRule {
  enum class In : std::uint8_t { path, query, header };

  std::string name;
  In in = In::query;
  bool required = false;
  bool allow_empty = false;
  bool has_default = false;
  bool is_date_time = false;
  std::string default_text;  // as it would be written in a query
  const Schema* schema = nullptr;
};

struct BodyRule {
  bool required = false;
  bool validate = true;  // false: the operation reads it as it comes
  std::vector<std::string> media_types;
  const Schema* json = nullptr;  // of application/json
};

struct OperationRule {
  std::string id;
  std::string method;    // upper case
  std::string path;      // "/repositories/{repository}"
  bool is_open = false;  // needs no credentials
  std::vector<ParameterRule> parameters;
  std::optional<BodyRule> body;
};

/// Read once, then only looked at, from any thread.
class Contract {
 public:
  /// Asserts that the document is one it understands: it is part of this program.
  explicit Contract(std::string_view openapi);
  Contract(const Contract&) = delete;
  Contract& operator=(const Contract&) = delete;

  /// In the order of the document.
  const std::vector<OperationRule>& operations() const { return operations_; }

  /// nullptr if there is none.
  const OperationRule* find(std::string_view operation_id) const;
  const Schema* find_schema(std::string_view component) const;

 private:
  const Schema* read_schema(JsonView node);
  const Schema* component(const std::string& name);
  ParameterRule read_parameter(JsonView node);
  OperationRule read_operation(std::string_view path, std::string_view method, JsonView node);

  std::optional<JsonView> schema_nodes_, parameter_nodes_;  // only while reading
  std::deque<Schema> schemas_;
  std::map<std::string, const Schema*, std::less<>> components_;
  std::vector<OperationRule> operations_;
};

}  // namespace tarn::api
