#include "auth/login_token.h"

#include <boost/json.hpp>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/bytes.h"

namespace tarn::auth {

namespace {

constexpr std::size_t kTokenBytesMax = 8'192;

std::string hmac(const EVP_MD* digest, std::string_view key, std::string_view message) {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  HMAC(digest, key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(message.data()), message.size(), out, &size);
  return {reinterpret_cast<const char*>(out), size};
}

std::unexpected<ParseError> refused(const char* why) {
  return std::unexpected(ParseError{why});
}

/// A JSON object in base64url, or nullopt.
std::optional<boost::json::object> decode_object(std::string_view part) {
  const auto text = from_base64url(part);
  if (!text) return std::nullopt;
  boost::system::error_code error;
  boost::json::value value = boost::json::parse(*text, error);
  if (error || !value.is_object()) return std::nullopt;
  return std::move(value.as_object());
}

std::string_view text_of(const boost::json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string_view(value->as_string())
                                                : std::string_view();
}

std::optional<std::int64_t> number_of(const boost::json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  if (value == nullptr || !value->is_number()) return std::nullopt;
  if (value->is_double()) {
    const double number = value->as_double();
    if (!(number > -9e15 && number < 9e15)) return std::nullopt;
    return static_cast<std::int64_t>(number);
  }
  boost::system::error_code error;
  const auto number = value->to_number<std::int64_t>(error);
  if (error) return std::nullopt;
  return number;
}

const EVP_MD* digest_of(std::string_view algorithm) {
  if (algorithm == "HS256") return EVP_sha256();
  if (algorithm == "HS384") return EVP_sha384();
  if (algorithm == "HS512") return EVP_sha512();
  return nullptr;
}

}  // namespace

std::string sign_login_token(std::string_view secret_key, const LoginClaims& claims) {
  boost::json::object payload;
  payload["aud"] = "login";
  payload["exp"] = claims.expires_at;
  payload["iat"] = claims.issued_at;
  payload["iss"] = "auth";
  payload["jti"] = claims.id;
  payload["sub"] = claims.subject;
  std::string token = to_base64url(R"({"alg":"HS256","typ":"JWT"})");
  token += '.';
  token += to_base64url(boost::json::serialize(payload));
  const std::string signature = to_base64url(hmac(EVP_sha256(), secret_key, token));
  return token + '.' + signature;
}

std::expected<LoginClaims, ParseError> verify_login_token(std::string_view secret_key,
                                                          std::string_view token,
                                                          std::int64_t now_seconds) {
  if (token.size() > kTokenBytesMax) return refused("token too long");
  const auto first = token.find('.');
  const auto second = token.find('.', first == std::string_view::npos ? first : first + 1);
  if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos) {
    return refused("not three parts");
  }
  const auto header = decode_object(token.substr(0, first));
  if (!header) return refused("bad header");
  const EVP_MD* digest = digest_of(text_of(*header, "alg"));
  if (digest == nullptr) return refused("algorithm not accepted");
  const auto signature = from_base64url(token.substr(second + 1));
  if (!signature ||
      !equal_constant_time(*signature, hmac(digest, secret_key, token.substr(0, second)))) {
    return refused("bad signature");
  }
  const auto payload = decode_object(token.substr(first + 1, second - first - 1));
  if (!payload) return refused("bad payload");
  if (const auto* audience = payload->if_contains("aud")) {
    if (!audience->is_string()) return refused("bad audience");
    if (audience->as_string() != "login" && !audience->as_string().empty()) {
      return refused("bad audience");
    }
  }
  const auto expires_at = number_of(*payload, "exp");
  if (!expires_at) return refused("no expiry");
  if (*expires_at <= now_seconds) return refused("expired");
  const std::string_view subject = text_of(*payload, "sub");
  if (subject.empty()) return refused("no subject");
  return LoginClaims{.subject = std::string(subject),
                     .id = std::string(text_of(*payload, "jti")),
                     .issued_at = number_of(*payload, "iat").value_or(0),
                     .expires_at = *expires_at};
}

}  // namespace tarn::auth
