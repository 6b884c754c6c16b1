#include "api/contract.h"
#include "api/json_reader.h"
#include "api/json_writer.h"
#include "api/openapi.h"
#include "base/bytes.h"
#include "base/error.h"
#include "testing/fuzz.h"

namespace tarn::fuzz {

namespace {

using api::JsonKind;
using api::JsonView;

/// An object becomes a list of names and values: the writer's own keys are literals.
void copy(api::JsonWriter& out, JsonView value, std::size_t depth) {
  TARN_ASSERT(depth <= api::JsonDocument::kDepthMax + 1);
  switch (value.kind()) {
    case JsonKind::null: out.null(); return;
    case JsonKind::boolean: out.value(*value.boolean()); return;
    case JsonKind::number: out.value(value.integer().value_or(-1)); return;
    case JsonKind::string:
      TARN_ASSERT(is_valid_utf8(*value.text()));
      out.value(*value.text());
      return;
    case JsonKind::array:
      out.begin_array();
      for (const JsonView item : value.items())
        copy(out, item, depth + 1);
      out.end_array();
      return;
    case JsonKind::object:
      out.begin_array();
      for (const auto& [name, member] : value.members()) {
        out.value(name);
        copy(out, member, depth + 1);
      }
      out.end_array();
  }
}

std::string copy_of(const api::JsonDocument& document) {
  std::string text;
  api::JsonWriter writer(text);
  copy(writer, document.root(), 0);
  return text;
}

const api::Contract& contract() {
  static const api::Contract kContract(api::openapi_document());
  return kContract;
}

}  // namespace

void run(std::string_view input) {
  const auto document = api::JsonDocument::parse(input);
  if (!document) {
    TARN_ASSERT(!document.error().message.empty());
    return;
  }
  const std::string text = copy_of(*document);
  const auto again = api::JsonDocument::parse(text);
  TARN_ASSERT(again && copy_of(*again) == text);
  for (const auto& operation : contract().operations()) {
    if (!operation.body || operation.body->json == nullptr) continue;
    if (const auto wrong = find_violation(*operation.body->json, document->root())) {
      TARN_ASSERT(!wrong->empty());
    }
  }
}

}  // namespace tarn::fuzz
