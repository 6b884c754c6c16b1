#include "api/setup_models.h"

#include <vector>

namespace tarn::api {

void write(JsonWriter& out, const SetupState& state) {
  out.begin_object();
  out.member("state", state.initialized ? "initialized" : "not_initialized");
  out.member("comm_prefs_missing", state.comm_prefs_missing);
  out.key("login_config");
  out.begin_object();
  out.member("RBAC", state.rbac);
  out.member("login_url", "");
  out.member("login_url_method", "none");
  out.member("login_failed_message", "The credentials don't match.");
  out.member("login_cookie_names", std::vector<std::string>{"internal_auth_session"});
  out.member("logout_url", "");
  out.end_object();
  out.end_object();
}

CommPrefsInput decode_comm_prefs_input(JsonView body) {
  return {.email = body.text_of("email").value_or(""),
          .first_name = body.text_of("firstName").value_or(""),
          .last_name = body.text_of("lastName").value_or(""),
          .company_name = body.text_of("companyName").value_or(""),
          .feature_updates = body.flag_of("featureUpdates"),
          .security_updates = body.flag_of("securityUpdates")};
}

Setup decode_setup(JsonView body) {
  Setup setup{.username = body.text_of("username").value_or(""),
              .prefs = decode_comm_prefs_input(body)};
  if (const auto key = body.find("key")) {
    setup.key.emplace(key->text_of("access_key_id").value_or(""),
                      key->text_of("secret_access_key").value_or(""));
  }
  return setup;
}

}  // namespace tarn::api
