#include "rest/authentication.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "rest/testing/fake_http.h"

namespace tarn::rest {
namespace {

using testing::FakeRequest;

Material find(std::vector<std::pair<std::string, std::string>> headers) {
  const FakeRequest request({.target = "/", .headers = std::move(headers)});
  return find_material(request);
}

TEST(FindMaterial, ReadsBasicCredentials) {
  const Material material = find({{"Authorization", "bASIC " + to_base64("key:sec:ret")}});
  EXPECT_EQ(material.kind, Material::Kind::basic);
  EXPECT_EQ(material.access_key_id, "key");
  EXPECT_EQ(material.secret_access_key, "sec:ret");
}

TEST(FindMaterial, ReadsBearerTokens) {
  const Material material = find({{"authorization", "Bearer a.b.c"}});
  EXPECT_EQ(material.kind, Material::Kind::token);
  EXPECT_EQ(material.token, "a.b.c");
}

TEST(FindMaterial, TakesUndecodableMaterialForAbsent) {
  for (const std::string& header : std::vector<std::string>{
           "Basic !!!", "Basic " + to_base64("nocolon"), "Bearer a b", "Bearer", "Digest x", ""}) {
    EXPECT_EQ(find({{"Authorization", header}}).kind, Material::Kind::none) << header;
  }
}

TEST(FindMaterial, FallsBackToTheSessionCookie) {
  const Material material =
      find({{"Authorization", "Basic !!!"}, {"Cookie", "a=b; internal_auth_session=x.y.z; c=d"}});
  EXPECT_EQ(material.kind, Material::Kind::token);
  EXPECT_EQ(material.token, "x.y.z");
}

TEST(FindMaterial, IgnoresSessionsOfAnotherServer) {
  EXPECT_EQ(find({{"Cookie", "internal_auth_session=MTY4fERrx_"}}).kind, Material::Kind::none);
}

TEST(FindMaterial, RefusesSessionsOfLoginServices) {
  EXPECT_EQ(find({{"Cookie", "oidc_auth_session=x"}}).kind, Material::Kind::unsupported);
  EXPECT_EQ(find({{"Cookie", "saml_auth_session=x"}}).kind, Material::Kind::unsupported);
}

TEST(SessionCookie, IsHttpOnlyAndSecureUnderTls) {
  EXPECT_EQ(session_cookie("t", 60, 0, false),
            "internal_auth_session=t; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=60; "
            "HttpOnly; SameSite=Lax");
  EXPECT_NE(session_cookie("t", 60, 0, true).find("; Secure;"), std::string::npos);
}

}  // namespace
}  // namespace tarn::rest
