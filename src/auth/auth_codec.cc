#include "auth/auth_codec.h"

#include "auth.pb.h"
#include "base/error.h"

namespace tarn::auth {

namespace model = ::io::treeverse::lakefs::auth::model;

std::string encode_user(const User& user) {
  model::UserData message;
  message.mutable_created_at()->set_seconds(user.created_at.seconds);
  message.mutable_created_at()->set_nanos(user.created_at.nanos);
  message.set_username(user.username);
  message.set_friendly_name(user.friendly_name);
  message.set_email(user.email);
  message.set_source(user.source);
  message.set_external_id(user.external_id);
  return message.SerializeAsString();
}

User decode_user(std::string_view bytes) {
  model::UserData message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    throw Error(ErrorCode::corrupt, "user record does not parse");
  }
  return {.username = message.username(),
          .created_at = {message.created_at().seconds(), message.created_at().nanos()},
          .friendly_name = message.friendly_name(),
          .email = message.email(),
          .source = message.source(),
          .external_id = message.external_id()};
}

std::string encode_credential(const StoredCredential& credential) {
  model::CredentialData message;
  message.set_access_key_id(credential.credential.access_key_id);
  message.set_secret_access_key_encrypted_bytes(credential.sealed_secret);
  message.mutable_issued_date()->set_seconds(credential.credential.issued_date.seconds);
  message.mutable_issued_date()->set_nanos(credential.credential.issued_date.nanos);
  message.set_user_id(credential.username);
  return message.SerializeAsString();
}

StoredCredential decode_credential(std::string_view bytes) {
  model::CredentialData message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    throw Error(ErrorCode::corrupt, "credential record does not parse");
  }
  return {.credential = {.access_key_id = message.access_key_id(),
                         .issued_date = {message.issued_date().seconds(),
                                         message.issued_date().nanos()}},
          .sealed_secret = message.secret_access_key_encrypted_bytes(),
          .username = message.user_id()};
}

}  // namespace tarn::auth
