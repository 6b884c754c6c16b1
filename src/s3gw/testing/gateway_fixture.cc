#include "s3gw/testing/gateway_fixture.h"

#include <algorithm>

#include "aws/signed_request.h"
#include "base/bytes.h"
#include "base/format.h"
#include "base/hash.h"
#include "testing/co_test.h"

namespace tarn::s3gw::testing {

using ::tarn::testing::run_co;

std::string Answer::header(std::string_view name) const {
  std::string value;
  int count = 0;
  for (const auto& [field, text] : headers) {
    if (!aws::equal_ignoring_case(field, name)) continue;
    value = text;
    ++count;
  }
  EXPECT_LE(count, 1) << "header " << name << " was sent " << count << " times";
  return value;
}

std::vector<std::string> Answer::elements(std::string_view name) const {
  const std::string open = format("<{}>", name);
  const std::string close = format("</{}>", name);
  std::vector<std::string> out;
  for (auto at = body.find(open); at != std::string::npos; at = body.find(open, at)) {
    at += open.size();
    out.push_back(body.substr(at, body.find(close, at) - at));
  }
  return out;
}

std::string Answer::element(std::string_view name) const {
  const auto all = elements(name);
  return all.empty() ? "" : all.front();
}

std::string Answer::error() const {
  return format("{} {}", status, element("Code"));
}

GatewayTest::GatewayTest() {
  run_co([&](Context& ctx) -> Task<> {
    co_await authority.open(ctx);
    co_await authority.setup(ctx, "admin", std::pair{key_id, secret});
    repository = co_await catalog.create_repository(
        ctx, {.name = "repo", .storage_namespace = "mem://repo", .default_branch = "main"});
  });
}

Answer GatewayTest::ask_unsigned(RequestSpec spec) {
  FakeRequest request(std::move(spec));
  FakeResponse response;
  run_co([&](Context& ctx) { return gateway.handle(ctx, request, response); });
  EXPECT_TRUE(response.started());
  return {.status = response.status(),
          .body = response.body(),
          .headers = response.headers(),
          .read_body = request.body_was_read(),
          .announced_length = response.announced_length()};
}

Answer GatewayTest::ask(RequestSpec spec) {
  const auto has = [&](std::string_view name) {
    return std::ranges::any_of(
        spec.headers, [&](const auto& h) { return aws::equal_ignoring_case(h.first, name); });
  };
  if (!has("host")) spec.headers.emplace_back("host", "localhost:8000");
  aws::SignedRequest unsigned_request{
      .method = spec.method, .raw_path = spec.path, .raw_query = spec.query, .headers = {}};
  std::string hash = to_hex(sha256(spec.body));
  for (const auto& [name, value] : spec.headers) {
    if (aws::equal_ignoring_case(name, "x-amz-content-sha256")) {
      hash = value;
    } else {
      unsigned_request.headers.emplace_back(name, value);
    }
  }
  auto added = aws::sign_request(unsigned_request, credentials(), {.region = "us-east-1"}, hash,
                                 clock.now());
  std::erase_if(spec.headers, [](const auto& h) {
    return aws::equal_ignoring_case(h.first, "x-amz-content-sha256");
  });
  spec.headers.insert(spec.headers.end(), added.begin(), added.end());
  return ask_unsigned(std::move(spec));
}

Answer GatewayTest::get(std::string_view path, std::string_view query, Headers headers) {
  return ask({.path = std::string(path), .query = std::string(query), .headers = headers});
}

Answer GatewayTest::head(std::string_view path, Headers headers) {
  return ask({.method = "HEAD", .path = std::string(path), .headers = headers});
}

Answer GatewayTest::put(std::string_view path, std::string_view body, Headers headers,
                        std::string_view query) {
  return ask({.method = "PUT",
              .path = std::string(path),
              .query = std::string(query),
              .headers = headers,
              .body = std::string(body)});
}

Answer GatewayTest::remove(std::string_view path, std::string_view query, Headers headers) {
  return ask({.method = "DELETE",
              .path = std::string(path),
              .query = std::string(query),
              .headers = headers});
}

Answer GatewayTest::post(std::string_view path, std::string_view query, std::string_view body,
                         Headers headers) {
  return ask({.method = "POST",
              .path = std::string(path),
              .query = std::string(query),
              .headers = headers,
              .body = std::string(body)});
}

void GatewayTest::create_branch(std::string_view name, bool hidden) {
  run_co([&](Context& ctx) -> Task<> {
    static_cast<void>(co_await engine.create_branch(ctx, *repository, BranchId::require(name),
                                                    "main", hidden, false));
  });
}

std::string GatewayTest::commit(std::string_view message) {
  return run_co([&](Context& ctx) -> Task<std::string> {
    const auto made =
        co_await engine.commit(ctx, *repository, BranchId::require("main"),
                               {.committer = "admin", .message = std::string(message)});
    co_return made.id.str();
  });
}

std::optional<catalog::Entry> GatewayTest::find(std::string_view ref, std::string_view path) {
  return run_co([&](Context& ctx) { return catalog.find(ctx, *repository, ref, path); });
}

std::size_t GatewayTest::stored_objects() {
  return run_co([&](Context& ctx) -> Task<std::size_t> {
    co_return (co_await objects.list(ctx, repository->storage_namespace, "data/", "", 1'000))
        .objects.size();
  });
}

}  // namespace tarn::s3gw::testing
