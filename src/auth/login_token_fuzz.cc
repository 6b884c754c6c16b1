// Tokens from clients, and user and credential records from a database.
#include "auth/auth_codec.h"
#include "auth/login_token.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/hash.h"
#include "testing/fuzz.h"

namespace tarn::fuzz {

namespace {

constexpr std::string_view kSecret = "some secret of the server";
constexpr std::int64_t kNow = 1'767'225'600;

/// Header and payload on a line each, under a signature that is right.
std::string sign(std::string_view input) {
  const std::string header = to_base64url(take_until(input, '\n'));
  const std::string token = header + '.' + to_base64url(input);
  return token + '.' + to_base64url(hmac_sha256(kSecret, token));
}

void check_token(std::string_view token) {
  const auto claims = auth::verify_login_token(kSecret, token, kNow);
  if (!claims) return;
  TARN_ASSERT(!claims->subject.empty() && claims->expires_at > kNow);
  const auto again =
      auth::verify_login_token(kSecret, auth::sign_login_token(kSecret, *claims), kNow);
  TARN_ASSERT(again && again->subject == claims->subject && again->id == claims->id);
  TARN_ASSERT(again->expires_at == claims->expires_at && again->issued_at == claims->issued_at);
}

template <class Decode, class Encode>
void check_codec(std::string_view input, Decode decode, Encode encode) {
  std::string stored;
  try {
    stored = encode(decode(input));
  } catch (const Error& error) {
    TARN_ASSERT(error.code() == ErrorCode::corrupt);
    return;
  }
  TARN_ASSERT(encode(decode(stored)) == stored);
}

}  // namespace

void run(std::string_view input) {
  TARN_ASSERT(!auth::verify_login_token("another secret", input, kNow));
  check_token(input);
  check_token(sign(input));
  check_codec(input, auth::decode_user, auth::encode_user);
  check_codec(input, auth::decode_credential, auth::encode_credential);
}

}  // namespace tarn::fuzz
