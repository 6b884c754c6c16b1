// What an API request says in its path, query and headers: parameters of every operation, bodies,
// and who sends it.
#include "api/contract.h"
#include "api/openapi.h"
#include "base/bytes.h"
#include "base/error.h"
#include "http/router.h"
#include "rest/authentication.h"
#include "rest/operations.h"
#include "rest/parameters.h"
#include "rest/request_document.h"
#include "rest/testing/fake_http.h"
#include "testing/fuzz.h"

namespace tarn::fuzz {

namespace {

using rest::testing::FakeRequest;
using rest::testing::RequestSpec;

struct Api {
  Api() : contract(api::openapi_document()) {
    for (const rest::Operation& operation : rest::operations()) {
      router.add(operation.method, operation.path);
      rules.push_back(contract.find(operation.id));
      TARN_ASSERT(rules.back() != nullptr);
    }
  }

  const api::Contract contract;
  http::Router router;
  std::vector<const api::OperationRule*> rules;
};

const Api& the_api() {
  static const Api kApi;
  return kApi;
}

/// Method and target on a line each, header lines up to an empty one, then the body.
RequestSpec read_request(std::string_view input) {
  RequestSpec spec;
  spec.method = take_until(input, '\n');
  spec.target = take_until(input, '\n');
  while (!input.empty()) {
    std::string_view line = take_until(input, '\n');
    if (line.empty()) break;
    const std::string_view name = take_until(line, ':');
    spec.headers.emplace_back(name, line);
  }
  spec.body = input;
  return spec;
}

void check_material(const http::Request& request) {
  const rest::Material material = rest::find_material(request);
  using Kind = rest::Material::Kind;
  TARN_ASSERT((material.kind == Kind::token) || material.token.empty());
  TARN_ASSERT((material.kind == Kind::basic) || material.access_key_id.empty());
}

/// Every text a handler can ask for is valid UTF-8, and numbers are what the contract allows.
void check_parameters(const api::OperationRule& rule, const http::Request& request,
                      const http::RouteMatch& match) {
  const auto parameters = rest::read_parameters(rule, request, match);
  if (!parameters) {
    TARN_ASSERT(!parameters.error().message.empty());
    return;
  }
  for (const api::ParameterRule& parameter : rule.parameters) {
    if (parameter.required) TARN_ASSERT(parameters->has(parameter.name));
    switch (parameter.schema->type) {
      case api::Schema::Type::integer: {
        const std::int64_t number = parameters->integer(parameter.name);
        if (!parameters->has(parameter.name)) break;
        TARN_ASSERT(number >= parameter.schema->minimum.value_or(INT64_MIN));
        TARN_ASSERT(number <= parameter.schema->maximum.value_or(INT64_MAX));
        break;
      }
      case api::Schema::Type::boolean: static_cast<void>(parameters->flag(parameter.name)); break;
      case api::Schema::Type::array:
        for (const std::string& item : parameters->list(parameter.name))
          TARN_ASSERT(is_valid_utf8(item));
        break;
      case api::Schema::Type::any:
      case api::Schema::Type::string:
      case api::Schema::Type::object: TARN_ASSERT(is_valid_utf8(parameters->text(parameter.name)));
    }
  }
}

void check_body(const api::BodyRule& rule, const http::Request& request, std::string_view body) {
  if (const auto refusal = rest::check_content_type(rule, request)) {
    TARN_ASSERT(!refusal->message.empty());
  }
  if (!rule.validate) return;
  const auto document = rest::read_document(rule, body);
  if (!document) TARN_ASSERT(!document.error().message.empty());
}

}  // namespace

void run(std::string_view input) {
  RequestSpec spec = read_request(input);
  const std::string body = spec.body;
  const FakeRequest request(std::move(spec));
  check_material(request);
  const auto match = the_api().router.match(request.method(), request.raw_path());
  if (!match) return;
  const api::OperationRule& rule = *the_api().rules[match->route];
  check_parameters(rule, request, *match);
  if (rule.body) check_body(*rule.body, request, body);
}

}  // namespace tarn::fuzz
