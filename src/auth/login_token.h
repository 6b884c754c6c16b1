// Login tokens: JSON Web Tokens signed with HMAC (RFC 7519, 7515), as the reference makes them
// (lakefs-http-behaviour.md 5.3).
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "base/error.h"

namespace tarn::auth {

struct LoginClaims {
  std::string subject;          // username
  std::string id;               // UUID
  std::int64_t issued_at = 0;   // Unix seconds
  std::int64_t expires_at = 0;  // Unix seconds
};

/// HS256, issuer "auth", audience "login".
std::string sign_login_token(std::string_view secret_key, const LoginClaims& claims);

/// Accepts HS256, HS384 and HS512; the audience must be "login", "" or absent; "exp" must be there
/// and later than `now_seconds`. The error says why, for logs only.
std::expected<LoginClaims, ParseError> verify_login_token(std::string_view secret_key,
                                                          std::string_view token,
                                                          std::int64_t now_seconds);

}  // namespace tarn::auth
