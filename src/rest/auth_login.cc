// Logging in for the web UI's session (lakefs-http-behaviour.md 5.4).
#include "api/auth_models.h"
#include "base/error.h"
#include "rest/authentication.h"
#include "rest/handlers.h"

namespace tarn::rest {

namespace {

constexpr std::int64_t kCookieSeconds = 30LL * 24 * 3600;

}  // namespace

Task<> log_in(Call& call) {
  api::LoginInformation login;
  if (call.document) login = api::decode_login_information(call.body());
  const auto principal = co_await call.services.authority.authenticate_basic(
      call.ctx, login.access_key_id, login.secret_access_key);
  if (!principal) throw Error(ErrorCode::unauthenticated, "error authenticating request");
  const auto token = call.services.authority.issue_token(principal->user);
  const std::int64_t expires_at = call.services.clock.now().seconds + kCookieSeconds;
  call.response.add_header(
      "Set-Cookie", session_cookie(token.jwt, kCookieSeconds, expires_at,
                                   call.services.config.secure_cookies || call.request.is_tls()));
  co_await call.reply(
      200, api::AuthenticationToken{.token = token.jwt, .token_expiration = token.expires_at});
}

Task<> get_auth_capabilities(Call& call) {
  return call.reply(200, api::AuthCapabilities{});
}

}  // namespace tarn::rest
