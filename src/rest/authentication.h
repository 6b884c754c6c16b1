// Who sends a request (lakefs-http-behaviour.md 5.1): which material it carries, and whether that
// is good.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "auth/authority.h"
#include "base/context.h"
#include "base/task.h"
#include "http/message.h"

namespace tarn::rest {

inline constexpr std::string_view kSessionCookie = "internal_auth_session";

/// The first scheme whose material is present decides, even if a later one would succeed.
struct Material {
  enum class Kind : std::uint8_t {
    none,
    token,        // a login token
    basic,        // access key and secret
    unsupported,  // a session of a login service this server does not have
  };
  Kind kind = Kind::none;
  std::string token;
  std::string access_key_id, secret_access_key;
};

/// Material that cannot be decoded counts as absent. Pure.
Material find_material(const http::Request& request);

struct Identity {
  std::optional<auth::Principal> principal;
  bool failed = false;  // there was material, and it is no good
};

Task<Identity> identify(Context& ctx, auth::Authority& authority, const http::Request& request);

/// The value of the cookie that carries a login token; `max_age_seconds` 0 removes it.
std::string session_cookie(std::string_view token, std::int64_t max_age_seconds,
                           std::int64_t expires_at, bool is_secure);

}  // namespace tarn::rest
