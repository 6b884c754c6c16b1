#include "api/json_reader.h"

#include <cmath>

#include <boost/json/stream_parser.hpp>
#include <boost/json/value.hpp>

#include "api/json_writer.h"

namespace tarn::api {

namespace json = boost::json;

namespace {

const json::value& value_of(const void* pointer) {
  return *static_cast<const json::value*>(pointer);
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

ParseError describe(const json::error_code& error) {
  if (error == json::error::incomplete) return {"unexpected EOF"};
  return {error.message()};
}

}  // namespace

struct JsonDocument::Tree {
  json::value value;
};

JsonDocument::JsonDocument(std::unique_ptr<Tree> tree) : tree_(std::move(tree)) {}

JsonDocument::JsonDocument(JsonDocument&&) noexcept = default;
JsonDocument& JsonDocument::operator=(JsonDocument&&) noexcept = default;
JsonDocument::~JsonDocument() = default;

std::expected<JsonDocument, ParseError> JsonDocument::parse(std::string_view text) {
  if (is_blank(text)) return std::unexpected(ParseError{"EOF"});
  json::parse_options options;
  options.max_depth = kDepthMax;
  options.allow_invalid_utf8 = true;
  json::stream_parser parser(json::storage_ptr(), options);
  json::error_code error;
  parser.write_some(text.data(), text.size(), error);  // stops after the document
  if (!error && !parser.done()) parser.finish(error);  // a bare number ends where the text does
  if (error) return std::unexpected(describe(error));
  return JsonDocument(std::make_unique<Tree>(parser.release()));
}

JsonView JsonDocument::root() const {
  return JsonView(&tree_->value);
}

JsonKind JsonView::kind() const {
  switch (value_of(value_).kind()) {
    case json::kind::null: return JsonKind::null;
    case json::kind::bool_: return JsonKind::boolean;
    case json::kind::int64:
    case json::kind::uint64:
    case json::kind::double_: return JsonKind::number;
    case json::kind::string: return JsonKind::string;
    case json::kind::array: return JsonKind::array;
    case json::kind::object: return JsonKind::object;
  }
  std::unreachable();
}

std::optional<std::string> JsonView::text() const {
  const auto* text = value_of(value_).if_string();
  if (text == nullptr) return std::nullopt;
  return to_valid_utf8({text->data(), text->size()});
}

std::optional<bool> JsonView::boolean() const {
  const auto* flag = value_of(value_).if_bool();
  return flag == nullptr ? std::nullopt : std::optional(*flag);
}

std::optional<std::int64_t> JsonView::integer() const {
  const json::value& value = value_of(value_);
  if (const auto* number = value.if_int64()) return *number;
  const auto* real = value.if_double();
  constexpr double kExactMax = 9'007'199'254'740'992.0;  // 2^53
  if (real == nullptr || std::trunc(*real) != *real || std::fabs(*real) > kExactMax) {
    return std::nullopt;
  }
  return static_cast<std::int64_t>(*real);
}

std::optional<JsonView> JsonView::find(std::string_view name) const {
  const auto* object = value_of(value_).if_object();
  if (object == nullptr) return std::nullopt;
  const auto* member = object->if_contains(name);
  return member == nullptr ? std::nullopt : std::optional(JsonView(member));
}

std::vector<JsonView> JsonView::items() const {
  std::vector<JsonView> items;
  if (const auto* array = value_of(value_).if_array()) {
    items.reserve(array->size());
    for (const json::value& item : *array)
      items.push_back(JsonView(&item));
  }
  return items;
}

std::vector<std::pair<std::string, JsonView>> JsonView::members() const {
  std::vector<std::pair<std::string, JsonView>> members;
  if (const auto* object = value_of(value_).if_object()) {
    members.reserve(object->size());
    for (const auto& member : *object) {
      const std::string_view name(member.key().data(), member.key().size());
      members.emplace_back(to_valid_utf8(name), JsonView(&member.value()));
    }
  }
  return members;
}

std::optional<std::string> JsonView::text_of(std::string_view name) const {
  const auto member = find(name);
  return member ? member->text() : std::nullopt;
}

std::optional<std::int64_t> JsonView::integer_of(std::string_view name) const {
  const auto member = find(name);
  return member ? member->integer() : std::nullopt;
}

std::optional<std::map<std::string, std::string>> JsonView::map_of(std::string_view name) const {
  const auto member = find(name);
  if (!member || member->kind() != JsonKind::object) return std::nullopt;
  std::map<std::string, std::string> pairs;
  for (const auto& [key, value] : member->members())
    pairs[key] = value.text().value_or("");
  return pairs;
}

std::vector<std::string> JsonView::texts_of(std::string_view name) const {
  std::vector<std::string> texts;
  if (const auto member = find(name)) {
    for (const JsonView& item : member->items())
      texts.push_back(item.text().value_or(""));
  }
  return texts;
}

bool JsonView::flag_of(std::string_view name) const {
  const auto member = find(name);
  return member && member->boolean().value_or(false);
}

}  // namespace tarn::api
