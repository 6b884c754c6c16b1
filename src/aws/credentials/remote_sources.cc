// Sources one has to ask over HTTP: the token service, a container's agent, an instance's metadata.
#include <chrono>
#include <fstream>
#include <iterator>

#include "aws/credentials/sources.h"
#include "aws/signed_request.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/format.h"

namespace tarn::aws {

namespace {

using std::chrono::seconds;

constexpr seconds kAskTimeout{5};
constexpr std::size_t kTokenBytesMax = 64 * 1024;
constexpr std::string_view kInstanceOrigin = "http://169.254.169.254";
constexpr std::string_view kContainerOrigin = "http://169.254.170.2";

[[noreturn]] void fail(std::string_view source, std::string_view why) {
  throw Error(ErrorCode::unavailable, format("AWS credentials of {}: {}", source, why));
}

http::Url url_of(const std::string& text, std::string_view source) {
  auto url = http::parse_url(text);
  if (!url) fail(source, "the address is no URL");
  return *std::move(url);
}

struct Answer {
  std::uint16_t status = 0;
  std::string body;
};

Task<Answer> ask(Context& ctx, http::Client& client, http::ClientRequest request) {
  Context brief = ctx.within(kAskTimeout);
  auto response = co_await client.send(brief, std::move(request));
  Answer answer{.status = response.status(), .body = {}};
  answer.body = co_await response.read_all(brief, kDocumentBytesMax);
  co_return answer;
}

std::string read_token_blocking(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string token(kTokenBytesMax, '\0');
  file.read(token.data(), static_cast<std::streamsize>(token.size()));
  token.resize(static_cast<std::size_t>(file.gcount()));
  return std::string(trim(token.substr(0, token.find_last_not_of("\r\n") + 1)));
}

Issued issued_by(std::string_view source, const Answer& answer) {
  if (answer.status != 200) fail(source, format("status {}", answer.status));
  auto issued = parse_metadata_document(answer.body);
  if (!issued) fail(source, issued.error().message);
  return *std::move(issued);
}

/// Over plain HTTP only to this machine or to the addresses AWS names for agents.
bool may_ask_plainly(const http::Endpoint& endpoint) {
  return endpoint.scheme == http::Endpoint::Scheme::https || endpoint.host == "localhost" ||
         endpoint.host.starts_with("127.") || endpoint.host == "::1" ||
         endpoint.host == "169.254.170.2" || endpoint.host == "169.254.170.23" ||
         endpoint.host == "fd00:ec2::23";
}

std::string token_service_url(const CredentialsConfig& config) {
  if (auto named = find_variable(config, "AWS_ENDPOINT_URL_STS")) return *named;
  const std::string_view suffix =
      config.region.starts_with("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
  return format("https://sts.{}.{}", config.region, suffix);
}

}  // namespace

Task<Issued> assume_role(Context& ctx, const SourceParts& parts, AssumeRole role) {
  constexpr std::string_view kSource = "web identity";
  const std::string token =
      co_await parts.files.run(ctx, [path = role.token_file] { return read_token_blocking(path); });
  if (token.empty()) fail(kSource, "the token file is empty or cannot be read");
  if (role.session_name.empty()) role.session_name = "tarn";
  std::string form = format(
      "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn={}&RoleSessionName={}"
      "&WebIdentityToken={}",
      percent_encode(role.role_arn), percent_encode(role.session_name), percent_encode(token));
  if (parts.config.web_identity_duration.count() > 0) {
    append_format(form, "&DurationSeconds={}", parts.config.web_identity_duration.count());
  }
  auto url = url_of(token_service_url(parts.config), kSource);
  const Answer answer = co_await ask(
      ctx, parts.client,
      {.method = "POST",
       .endpoint = std::move(url.endpoint),
       .target = std::move(url.target),
       .headers = {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}},
       .body = std::move(form),
       .repeatable = true});
  if (answer.status != 200) {
    const std::string code = find_token_service_error(answer.body);
    fail(kSource, format("the token service refused: status {}, {}", answer.status,
                         code.empty() ? "no code" : code));
  }
  auto issued = parse_assumed_role(answer.body);
  if (!issued) fail(kSource, issued.error().message);
  co_return *std::move(issued);
}

Task<std::optional<Issued>> ask_web_identity(Context& ctx, const SourceParts& parts) {
  const auto role = find_variable(parts.config, "AWS_ROLE_ARN");
  const auto token_file = find_variable(parts.config, "AWS_WEB_IDENTITY_TOKEN_FILE");
  if (!role || !token_file) co_return std::nullopt;
  AssumeRole assume{
      .role_arn = *role,
      .token_file = *token_file,
      .session_name = find_variable(parts.config, "AWS_ROLE_SESSION_NAME").value_or("")};
  co_return co_await assume_role(ctx, parts, std::move(assume));
}

Task<std::optional<Issued>> ask_container(Context& ctx, const SourceParts& parts) {
  constexpr std::string_view kSource = "container";
  std::string text;
  if (const auto path = find_variable(parts.config, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")) {
    text = std::string(kContainerOrigin) + *path;
  } else if (const auto full = find_variable(parts.config, "AWS_CONTAINER_CREDENTIALS_FULL_URI")) {
    text = *full;
  } else {
    co_return std::nullopt;
  }
  auto url = url_of(text, kSource);
  if (!may_ask_plainly(url.endpoint)) fail(kSource, "plain HTTP to a foreign host");
  http::ClientRequest request{.endpoint = std::move(url.endpoint), .target = std::move(url.target)};
  std::string token = find_variable(parts.config, "AWS_CONTAINER_AUTHORIZATION_TOKEN").value_or("");
  if (const auto file = find_variable(parts.config, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")) {
    token = co_await parts.files.run(ctx, [path = *file] { return read_token_blocking(path); });
  }
  if (!token.empty()) request.headers.emplace_back("Authorization", std::move(token));
  co_return issued_by(kSource, co_await ask(ctx, parts.client, std::move(request)));
}

Task<std::optional<Issued>> ask_instance(Context& ctx, const SourceParts& parts) {
  constexpr std::string_view kSource = "instance metadata";
  if (to_lower(find_variable(parts.config, "AWS_EC2_METADATA_DISABLED").value_or("")) == "true") {
    co_return std::nullopt;
  }
  const auto endpoint = url_of(find_variable(parts.config, "AWS_EC2_METADATA_SERVICE_ENDPOINT")
                                   .value_or(std::string(kInstanceOrigin)),
                               kSource)
                            .endpoint;
  const Answer token =
      co_await ask(ctx, parts.client,
                   {.method = "PUT",
                    .endpoint = endpoint,
                    .target = "/latest/api/token",
                    .headers = {{"X-aws-ec2-metadata-token-ttl-seconds", "21600"}}});
  if (token.status != 200) fail(kSource, format("no session: status {}", token.status));
  constexpr std::string_view kRoles = "/latest/meta-data/iam/security-credentials/";
  const std::vector<std::pair<std::string, std::string>> headers = {
      {"X-aws-ec2-metadata-token", token.body}};
  const Answer roles = co_await ask(
      ctx, parts.client, {.endpoint = endpoint, .target = std::string(kRoles), .headers = headers});
  const std::string role(trim(roles.body.substr(0, roles.body.find('\n'))));
  if (roles.status != 200 || role.empty()) fail(kSource, "the instance has no role");
  co_return issued_by(kSource,
                      co_await ask(ctx, parts.client,
                                   {.endpoint = endpoint,
                                    .target = std::string(kRoles) + percent_encode(role, "/"),
                                    .headers = headers}));
}

}  // namespace tarn::aws
