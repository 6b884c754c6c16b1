// User and credential records (storage-format.md 2.12) to and from bytes.
#pragma once

#include <string>
#include <string_view>

#include "auth/authority.h"

namespace tarn::auth {

/// A credential as stored: the secret still sealed.
struct StoredCredential {
  Credential credential;
  std::string sealed_secret;
  std::string username;
};

std::string encode_user(const User& user);
std::string encode_credential(const StoredCredential& credential);

/// Throw Error{corrupt}.
User decode_user(std::string_view bytes);
StoredCredential decode_credential(std::string_view bytes);

}  // namespace tarn::auth
