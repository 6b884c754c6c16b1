#include "auth/login_token.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/hash.h"

namespace tarn::auth {
namespace {

constexpr std::int64_t kNow = 1'700'000'000;

std::string signed_with(std::string_view header, std::string_view payload) {
  const std::string text = to_base64url(header) + "." + to_base64url(payload);
  return text + "." + to_base64url(hmac_sha256("key", text));
}

TEST(LoginToken, IsAcceptedUntilItExpires) {
  const std::string token = sign_login_token(
      "key", {.subject = "admin", .id = "u", .issued_at = kNow, .expires_at = kNow + 60});
  const auto claims = verify_login_token("key", token, kNow + 59);
  ASSERT_TRUE(claims.has_value()) << claims.error().message;
  EXPECT_EQ(claims->subject, "admin");
  EXPECT_EQ(claims->expires_at, kNow + 60);
  EXPECT_FALSE(verify_login_token("key", token, kNow + 60).has_value());
}

TEST(LoginToken, IsRefusedWithAnotherKey) {
  const std::string token = sign_login_token(
      "key", {.subject = "admin", .id = "u", .issued_at = kNow, .expires_at = kNow + 60});
  EXPECT_FALSE(verify_login_token("other", token, kNow).has_value());
}

TEST(LoginToken, RefusesWhatAnAttackerWouldTry) {
  const std::string exp = R"("exp":1700000060)";
  const std::string good = R"({"alg":"HS256"})";
  EXPECT_TRUE(verify_login_token("key", signed_with(good, R"({"sub":"a",)" + exp + "}"), kNow));
  for (const std::string& token : {
           signed_with(R"({"alg":"none"})", R"({"sub":"a",)" + exp + "}"),
           signed_with(R"({"alg":"RS256"})", R"({"sub":"a",)" + exp + "}"),
           signed_with(good, R"({"sub":"a"})"),
           signed_with(good, R"({)" + exp + "}"),
           signed_with(good, R"({"sub":"a","aud":"other",)" + exp + "}"),
           signed_with(good, R"({"sub":"a","aud":["login"],)" + exp + "}"),
           signed_with(good, "[]"),
           signed_with("x", R"({"sub":"a",)" + exp + "}"),
           std::string("a.b"),
           std::string("a.b.c.d"),
           std::string(),
           std::string(".."),
           std::string(9'000, 'a'),
       }) {
    EXPECT_FALSE(verify_login_token("key", token, kNow).has_value()) << token;
  }
}

TEST(LoginToken, AcceptsAnEmptyOrAbsentAudience) {
  const std::string rest = R"("sub":"a","exp":1700000060})";
  EXPECT_TRUE(
      verify_login_token("key", signed_with(R"({"alg":"HS256"})", R"({"aud":"",)" + rest), kNow));
  EXPECT_TRUE(verify_login_token("key", signed_with(R"({"alg":"HS256"})", "{" + rest), kNow));
}

}  // namespace
}  // namespace tarn::auth
