#include "api/auth_models.h"

namespace tarn::api {

void write(JsonWriter& out, const User& user) {
  out.begin_object();
  out.member("id", user.id);
  out.member("creation_date", user.creation_date);
  out.member("friendly_name", user.friendly_name);
  out.member("email", user.email);
  out.end_object();
}

void write(JsonWriter& out, const CurrentUser& user) {
  out.begin_object();
  out.key("user");
  write(out, user.user);
  out.end_object();
}

void write(JsonWriter& out, const Credentials& credentials) {
  out.begin_object();
  out.member("access_key_id", credentials.access_key_id);
  out.member("creation_date", credentials.creation_date);
  out.end_object();
}

void write(JsonWriter& out, const CredentialsWithSecret& credentials) {
  out.begin_object();
  out.member("access_key_id", credentials.access_key_id);
  out.member("creation_date", credentials.creation_date);
  out.member("secret_access_key", credentials.secret_access_key);
  out.end_object();
}

void write(JsonWriter& out, const AuthenticationToken& token) {
  out.begin_object();
  out.member("token", token.token);
  out.member("token_expiration", token.token_expiration);
  out.end_object();
}

void write(JsonWriter& out, const AuthCapabilities& capabilities) {
  out.begin_object();
  out.member("invite_user", capabilities.invite_user);
  out.end_object();
}

UserCreation decode_user_creation(JsonView body) {
  return {.id = body.text_of("id").value_or(""), .invite_user = body.flag_of("invite_user")};
}

LoginInformation decode_login_information(JsonView body) {
  return {.access_key_id = body.text_of("access_key_id").value_or(""),
          .secret_access_key = body.text_of("secret_access_key").value_or("")};
}

}  // namespace tarn::api
