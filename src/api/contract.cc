#include "api/contract.h"

#include <algorithm>

namespace tarn::api {

namespace {

std::string last_part(std::string_view reference) {
  return std::string(reference.substr(reference.rfind('/') + 1));
}

Schema::Type type_of(JsonView node) {
  const auto name = node.text_of("type");
  if (!name) return node.find("properties") ? Schema::Type::object : Schema::Type::any;
  if (*name == "string") return Schema::Type::string;
  if (*name == "integer") return Schema::Type::integer;
  if (*name == "boolean") return Schema::Type::boolean;
  if (*name == "array") return Schema::Type::array;
  TARN_ASSERT(*name == "object");
  return Schema::Type::object;
}

std::string default_text(JsonView value) {
  if (const auto text = value.text()) return *text;
  if (const auto flag = value.boolean()) return *flag ? "true" : "false";
  return std::to_string(value.integer().value_or(0));
}

std::string upper(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return static_cast<char>(c - 'a' + 'A'); });
  return out;
}

bool is_method(std::string_view name) {
  constexpr std::string_view kMethods[] = {"get", "put", "post", "delete", "head", "patch"};
  return std::ranges::find(kMethods, name) != std::end(kMethods);
}

}  // namespace

Contract::Contract(std::string_view openapi) {
  const auto document = JsonDocument::parse(openapi);
  TARN_ASSERT(document.has_value());
  const auto components = document->root().find("components");
  TARN_ASSERT(components.has_value());
  schema_nodes_ = components->find("schemas");
  parameter_nodes_ = components->find("parameters");
  for (const auto& [name, node] : schema_nodes_->members())
    component(name);
  for (const auto& [path, methods] : document->root().find("paths")->members()) {
    const auto shared = methods.find("parameters");
    for (const auto& [method, node] : methods.members()) {
      if (!is_method(method)) continue;
      OperationRule operation = read_operation(path, method, node);
      if (shared) {
        for (const JsonView parameter : shared->items()) {
          operation.parameters.push_back(read_parameter(parameter));
        }
      }
      operations_.push_back(std::move(operation));
    }
  }
  schema_nodes_.reset();
  parameter_nodes_.reset();
}

const OperationRule* Contract::find(std::string_view operation_id) const {
  const auto found = std::ranges::find(operations_, operation_id, &OperationRule::id);
  return found == operations_.end() ? nullptr : &*found;
}

const Schema* Contract::find_schema(std::string_view name) const {
  const auto found = components_.find(name);
  return found == components_.end() ? nullptr : found->second;
}

const Schema* Contract::component(const std::string& name) {
  if (const Schema* known = find_schema(name)) return known;
  const auto node = schema_nodes_->find(name);
  TARN_ASSERT(node.has_value());
  // A place in the deque first, so that a schema may refer to itself.
  schemas_.emplace_back();
  Schema& schema = schemas_.back();
  components_[name] = &schema;
  schema = *read_schema(*node);
  schema.name = name;
  return &schema;
}

const Schema* Contract::read_schema(JsonView node) {
  if (const auto reference = node.text_of("$ref")) return component(last_part(*reference));
  Schema schema;
  schema.type = type_of(node);
  schema.nullable = node.flag_of("nullable");
  schema.required = node.texts_of("required");
  schema.values = node.texts_of("enum");
  schema.minimum = node.integer_of("minimum");
  schema.maximum = node.integer_of("maximum");
  schema.length_min = static_cast<std::size_t>(node.integer_of("minLength").value_or(0));
  schema.items_min = static_cast<std::size_t>(node.integer_of("minItems").value_or(0));
  schema.pattern = node.text_of("pattern").value_or("");
  TARN_ASSERT(schema.pattern.empty() || is_known_pattern(schema.pattern));
  if (const auto properties = node.find("properties")) {
    for (const auto& [name, property] : properties->members()) {
      schema.properties[name] = read_schema(property);
    }
  }
  const auto additional = node.find("additionalProperties");
  if (additional && additional->kind() == JsonKind::object) {
    schema.additional = read_schema(*additional);
  }
  if (const auto items = node.find("items")) schema.items = read_schema(*items);
  if (const auto parts = node.find("allOf")) {
    for (const JsonView part : parts->items())
      schema.all_of.push_back(read_schema(part));
  }
  schemas_.push_back(std::move(schema));
  return &schemas_.back();
}

ParameterRule Contract::read_parameter(JsonView node) {
  if (const auto reference = node.text_of("$ref")) {
    const auto shared = parameter_nodes_->find(last_part(*reference));
    TARN_ASSERT(shared.has_value());
    return read_parameter(*shared);
  }
  const auto schema = node.find("schema");
  TARN_ASSERT(schema.has_value());
  ParameterRule rule;
  rule.name = node.text_of("name").value_or("");
  const std::string in = node.text_of("in").value_or("");
  TARN_ASSERT(in == "query" || in == "path" || in == "header");
  rule.in = in == "query"  ? ParameterRule::In::query
            : in == "path" ? ParameterRule::In::path
                           : ParameterRule::In::header;
  rule.required = node.flag_of("required");
  rule.allow_empty = node.flag_of("allowEmptyValue");
  rule.is_date_time = schema->text_of("format") == "date-time";
  if (const auto value = schema->find("default")) {
    rule.has_default = true;
    rule.default_text = default_text(*value);
  }
  rule.schema = read_schema(*schema);
  return rule;
}

OperationRule Contract::read_operation(std::string_view path, std::string_view method,
                                       JsonView node) {
  OperationRule rule;
  rule.id = node.text_of("operationId").value_or("");
  rule.method = upper(method);
  rule.path = path;
  const auto security = node.find("security");
  rule.is_open = security && security->items().empty();
  if (const auto parameters = node.find("parameters")) {
    for (const JsonView parameter : parameters->items()) {
      rule.parameters.push_back(read_parameter(parameter));
    }
  }
  if (const auto body = node.find("requestBody")) {
    rule.body = BodyRule{.required = body->flag_of("required"),
                         .validate = !node.flag_of("x-validation-exclude-body")};
    for (const auto& [media_type, content] : body->find("content")->members()) {
      rule.body->media_types.push_back(media_type);
      const auto schema = content.find("schema");
      if (media_type == "application/json" && schema) rule.body->json = read_schema(*schema);
    }
  }
  return rule;
}

}  // namespace tarn::api
