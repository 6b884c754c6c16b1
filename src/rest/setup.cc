// First-run set-up and health (lakefs-http-behaviour.md 6, 10.1).
#include <algorithm>

#include "api/setup_models.h"
#include "base/error.h"
#include "rest/handlers.h"
#include "rest/models.h"

namespace tarn::rest {

namespace {

/// A bare address: no display name, no spaces, a dot in the domain.
bool is_email(std::string_view text) {
  const auto at = text.rfind('@');
  if (at == std::string_view::npos || at == 0) return false;
  const std::string_view domain = text.substr(at + 1);
  return domain.find('.') != std::string_view::npos && !domain.starts_with('.') &&
         !domain.ends_with('.') && std::ranges::none_of(text, [](char c) {
           return static_cast<unsigned char>(c) <= ' ' || c == '<' || c == '>' || c == '"';
         });
}

void require_email(std::string_view text) {
  if (!is_email(text)) throw Error(ErrorCode::invalid_argument, "invalid email address");
}

auth::Authority::CommPrefs to_prefs(const api::CommPrefsInput& input) {
  return {.email = input.email,
          .first_name = input.first_name,
          .last_name = input.last_name,
          .company_name = input.company_name,
          .feature_updates = input.feature_updates,
          .security_updates = input.security_updates};
}

}  // namespace

Task<> health_check(Call& call) {
  return call.reply_empty(204);
}

Task<> get_setup_state(Call& call) {
  // Nobody is asked for contact details here, so preferences are never missing.
  const bool initialized = co_await call.services.authority.is_initialized(call.ctx);
  co_await call.reply(200, api::SetupState{.initialized = initialized});
}

Task<> set_up(Call& call) {
  api::Setup setup = api::decode_setup(call.body());
  auth::Authority& authority = call.services.authority;
  if (setup.username.empty()) {
    throw Error(ErrorCode::invalid_argument, "empty user display name");
  }
  if (co_await authority.is_initialized(call.ctx)) {
    throw Error(ErrorCode::already_exists, "lakeFS already initialized");
  }
  if (!setup.prefs.email.empty()) require_email(setup.prefs.email);
  const auto secret = co_await authority.setup(call.ctx, setup.username, std::move(setup.key));
  if (!setup.prefs.email.empty()) {
    co_await authority.set_comm_prefs(call.ctx, to_prefs(setup.prefs));
  }
  co_await call.reply(200, to_model(secret));
}

Task<> setup_comm_prefs(Call& call) {
  const api::CommPrefsInput input = api::decode_comm_prefs_input(call.body());
  auth::Authority& authority = call.services.authority;
  if (!co_await authority.is_initialized(call.ctx)) {
    throw Error(ErrorCode::precondition_failed, "lakeFS is not initialized");
  }
  if ((co_await authority.comm_prefs_set(call.ctx)).value_or(false)) {
    throw Error(ErrorCode::already_exists, "communication preferences already set");
  }
  require_email(input.email);
  co_await authority.set_comm_prefs(call.ctx, to_prefs(input));
  co_await call.reply_empty(200);
}

}  // namespace tarn::rest
