#include "rest/testing/server_fixture.h"

#include <memory>

#include "api/json_reader.h"
#include "base/bytes.h"
#include "base/format.h"
#include "testing/co_test.h"

namespace tarn::rest::testing {

namespace {

std::optional<api::JsonView> find_path(const api::JsonDocument& document, std::string_view path) {
  std::optional<api::JsonView> at = document.root();
  while (at && !path.empty()) {
    const std::string_view part = path.substr(0, path.find('.'));
    path.remove_prefix(std::min(part.size() + 1, path.size()));
    if (at->kind() == api::JsonKind::array) {
      const auto items = at->items();
      const auto index = std::stoul(std::string(part));
      at = index < items.size() ? std::optional(items[index]) : std::nullopt;
    } else {
      at = at->find(part);
    }
  }
  return at;
}

std::string shown(const std::optional<api::JsonView>& value) {
  if (!value) return "(absent)";
  if (value->is_null()) return "(null)";
  if (const auto text = value->text()) return *text;
  if (const auto number = value->integer()) return std::to_string(*number);
  if (const auto flag = value->boolean()) return *flag ? "true" : "false";
  return format("({})", value->kind() == api::JsonKind::array ? value->items().size()
                                                              : value->members().size());
}

}  // namespace

std::string Answer::message() const {
  const auto document = api::JsonDocument::parse(body);
  if (!document) return body;
  return document->root().text_of("message").value_or(body);
}

std::string Answer::at(std::string_view path) const {
  const auto document = api::JsonDocument::parse(body);
  if (!document) return "(no JSON)";
  return shown(find_path(*document, path));
}

std::size_t Answer::count(std::string_view path) const {
  const auto document = api::JsonDocument::parse(body);
  if (!document) return SIZE_MAX;
  const auto value = find_path(*document, path);
  return value && value->kind() == api::JsonKind::array ? value->items().size() : SIZE_MAX;
}

std::vector<std::string> Answer::all(std::string_view member) const {
  std::vector<std::string> texts;
  const auto document = api::JsonDocument::parse(body);
  if (!document) return texts;
  if (const auto results = document->root().find("results")) {
    for (const auto item : results->items())
      texts.push_back(shown(item.find(member)));
  }
  return texts;
}

ServerTest::ServerTest() {
  ::tarn::testing::run_co([this](Context& ctx) { return authority.open(ctx); });
  api.emplace(Api::Parts{.catalog = catalog, .authority = authority, .clock = clock}, config);
}

Answer ServerTest::ask_as_stranger(RequestSpec spec) {
  FakeRequest request(std::move(spec));
  auto response = std::make_shared<FakeResponse>();
  ::tarn::testing::run_co([&](Context& ctx) { return api->handle(ctx, request, *response); });
  EXPECT_TRUE(response->started()) << "no response";
  return {.status = response->status(),
          .body = response->body(),
          .read_body = request.body_was_read(),
          .announced_length = response->announced_length(),
          .header = [response](std::string_view name) { return response->header(name); },
          .has_header = [response](std::string_view name) { return response->has_header(name); }};
}

Answer ServerTest::ask(RequestSpec spec) {
  spec.headers.emplace_back("Authorization",
                            "Basic " + to_base64(format("{}:{}", kKeyId, kSecret)));
  return ask_as_stranger(std::move(spec));
}

Answer ServerTest::get(std::string_view path) {
  return ask({.target = format("/api/v1{}", path)});
}

Answer ServerTest::send(std::string_view method, std::string_view path, std::string_view json) {
  RequestSpec spec{.method = std::string(method), .target = format("/api/v1{}", path)};
  if (!json.empty()) {
    spec.headers.emplace_back("Content-Type", "application/json");
    spec.body = json;
  }
  return ask(std::move(spec));
}

Answer ServerTest::upload(std::string_view branch, std::string_view path, std::string_view content,
                          std::vector<std::pair<std::string, std::string>> headers) {
  return ask({.method = "POST",
              .target = format("/api/v1/repositories/repo/branches/{}/objects?path={}", branch,
                               percent_encode(path)),
              .headers = std::move(headers),
              .body = std::string(content)});
}

void ServerTest::set_up() {
  const Answer answer = send(
      "POST", "/setup_lakefs",
      format(R"({{"username":"admin","key":{{"access_key_id":"{}","secret_access_key":"{}"}}}})",
             kKeyId, kSecret));
  ASSERT_EQ(answer.status, 200) << answer.body;
}

void ServerTest::create_repository(std::string_view name) {
  set_up();
  const Answer answer =
      send("POST", "/repositories",
           format(R"({{"name":"{}","storage_namespace":"mem://{}"}})", name, name));
  ASSERT_EQ(answer.status, 201) << answer.body;
}

std::string ServerTest::commit(std::string_view branch, std::string_view message) {
  const Answer answer = send("POST", format("/repositories/repo/branches/{}/commits", branch),
                             format(R"({{"message":"{}","metadata":{{"k":"v"}}}})", message));
  EXPECT_EQ(answer.status, 201) << answer.body;
  return answer.at("id");
}

}  // namespace tarn::rest::testing
