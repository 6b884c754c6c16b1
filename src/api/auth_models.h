// Users, credentials and logins.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "api/json_reader.h"
#include "api/json_writer.h"

namespace tarn::api {

struct User {
  std::string id;
  std::int64_t creation_date = 0;
  std::optional<std::string> friendly_name, email;
};

struct CurrentUser {
  User user;
};

struct UserCreation {
  std::string id;
  bool invite_user = false;
};

struct Credentials {
  std::string access_key_id;
  std::int64_t creation_date = 0;
};

struct CredentialsWithSecret {
  std::string access_key_id;
  std::int64_t creation_date = 0;
  std::string secret_access_key;
};

struct LoginInformation {
  std::string access_key_id, secret_access_key;
};

struct AuthenticationToken {
  std::string token;
  std::int64_t token_expiration = 0;  // Unix seconds
};

struct AuthCapabilities {
  bool invite_user = false;
};

void write(JsonWriter& out, const User& user);
void write(JsonWriter& out, const CurrentUser& user);
void write(JsonWriter& out, const Credentials& credentials);
void write(JsonWriter& out, const CredentialsWithSecret& credentials);
void write(JsonWriter& out, const AuthenticationToken& token);
void write(JsonWriter& out, const AuthCapabilities& capabilities);

UserCreation decode_user_creation(JsonView body);
LoginInformation decode_login_information(JsonView body);

}  // namespace tarn::api
