#include "rest/authentication.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/format.h"
#include "base/time.h"

namespace tarn::rest {

namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

bool is_word(std::string_view text, std::string_view lower_case) {
  return std::ranges::equal(text, lower_case, {}, lower);
}

/// The next word of `text`, taken off its front; "" at the end.
std::string_view take_word(std::string_view& text) {
  constexpr std::string_view kBlanks = " \t";
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  const std::string_view word = text.substr(0, text.find_first_of(kBlanks));
  text.remove_prefix(word.size());
  return word;
}

std::optional<Material> from_authorization(std::string_view header) {
  const std::string_view scheme = take_word(header);
  const std::string_view value = take_word(header);
  if (value.empty() || !take_word(header).empty()) return std::nullopt;
  if (is_word(scheme, "bearer")) {
    return Material{.kind = Material::Kind::token, .token = std::string(value)};
  }
  if (!is_word(scheme, "basic")) return std::nullopt;
  const auto decoded = from_base64(value);
  if (!decoded) return std::nullopt;
  const auto colon = decoded->find(':');
  if (colon == std::string::npos) return std::nullopt;
  return Material{.kind = Material::Kind::basic,
                  .access_key_id = decoded->substr(0, colon),
                  .secret_access_key = decoded->substr(colon + 1)};
}

std::optional<std::string_view> find_cookie(std::string_view header, std::string_view name) {
  while (!header.empty()) {
    std::string_view pair = header.substr(0, header.find(';'));
    header.remove_prefix(std::min(pair.size() + 1, header.size()));
    while (pair.starts_with(' '))
      pair.remove_prefix(1);
    if (pair.starts_with(name) && pair.size() > name.size() && pair[name.size()] == '=') {
      return pair.substr(name.size() + 1);
    }
  }
  return std::nullopt;
}

/// Ours hold a login token; other values are leftovers of another server and count as absent.
bool looks_like_token(std::string_view value) {
  return std::ranges::count(value, '.') == 2;
}

}  // namespace

Material find_material(const http::Request& request) {
  if (const auto header = request.header("Authorization")) {
    if (auto material = from_authorization(*header)) return *std::move(material);
  }
  const auto cookies = request.header("Cookie");
  if (!cookies) return {};
  if (const auto session = find_cookie(*cookies, kSessionCookie);
      session && looks_like_token(*session)) {
    return {.kind = Material::Kind::token, .token = std::string(*session)};
  }
  for (const std::string_view name : {"oidc_auth_session", "saml_auth_session"}) {
    if (find_cookie(*cookies, name)) return {.kind = Material::Kind::unsupported};
  }
  return {};
}

Task<Identity> identify(Context& ctx, auth::Authority& authority, const http::Request& request) {
  const Material material = find_material(request);
  Identity identity;
  switch (material.kind) {
    case Material::Kind::none: co_return identity;
    case Material::Kind::token:
      identity.principal = co_await authority.authenticate_token(ctx, material.token);
      break;
    case Material::Kind::basic:
      identity.principal = co_await authority.authenticate_basic(ctx, material.access_key_id,
                                                                 material.secret_access_key);
      break;
    case Material::Kind::unsupported: break;
  }
  identity.failed = !identity.principal;
  co_return identity;
}

std::string session_cookie(std::string_view token, std::int64_t max_age_seconds,
                           std::int64_t expires_at, bool is_secure) {
  return format("{}={}; Path=/; Expires={}; Max-Age={}; HttpOnly{}; SameSite=Lax", kSessionCookie,
                token, to_http_date({.seconds = expires_at, .nanos = 0}), max_age_seconds,
                is_secure ? "; Secure" : "");
}

}  // namespace tarn::rest
