#include "aws/credentials/documents.h"

#include <gtest/gtest.h>

namespace tarn::aws {
namespace {

TEST(MetadataDocument, TellsKeysTokenAndEnd) {
  const auto issued = parse_metadata_document(
      R"({"Code":"Success","AccessKeyId":"ASIA1","SecretAccessKey":"s","Token":"t",)"
      R"("Expiration":"2026-11-21T10:00:00Z","Type":"AWS-HMAC"})");
  ASSERT_TRUE(issued) << issued.error().message;
  EXPECT_EQ(issued->credentials.access_key, "ASIA1");
  EXPECT_EQ(issued->credentials.secret_key, "s");
  EXPECT_EQ(issued->credentials.session_token, "t");
  EXPECT_EQ(to_rfc3339(*issued->expires), "2026-11-21T10:00:00Z");
}

TEST(MetadataDocument, MayNeverEnd) {
  const auto issued = parse_metadata_document(R"({"AccessKeyId":"A","SecretAccessKey":"s"})");
  ASSERT_TRUE(issued);
  EXPECT_FALSE(issued->expires);
}

TEST(MetadataDocument, RefusesWhatHoldsNoKeys) {
  for (const char* text :
       {"", "[]", "nonsense", "{}", R"({"AccessKeyId":"A"})", R"({"AccessKeyId":1})",
        R"({"Code":"Failed","AccessKeyId":"A","SecretAccessKey":"s"})",
        R"({"AccessKeyId":"A","SecretAccessKey":"s","Expiration":"tomorrow"})",
        R"({"AccessKeyId":"A\r\nX: y","SecretAccessKey":"s"})",
        R"({"AccessKeyId":"A","SecretAccessKey":"s","Token":"a\nb"})"}) {
    EXPECT_FALSE(parse_metadata_document(text)) << text;
  }
}

TEST(AssumedRole, TellsKeysTokenAndEnd) {
  const auto issued = parse_assumed_role(
      "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">"
      "<AssumeRoleWithWebIdentityResult><Credentials><SessionToken>t&amp;u</SessionToken>"
      "<SecretAccessKey>s</SecretAccessKey><Expiration>2026-11-21T10:00:00Z</Expiration>"
      "<AccessKeyId>ASIA2</AccessKeyId></Credentials></AssumeRoleWithWebIdentityResult>"
      "</AssumeRoleWithWebIdentityResponse>");
  ASSERT_TRUE(issued) << issued.error().message;
  EXPECT_EQ(issued->credentials.access_key, "ASIA2");
  EXPECT_EQ(issued->credentials.session_token, "t&u");
}

TEST(AssumedRole, ReportsTheServicesError) {
  const std::string_view text =
      "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code></Error></ErrorResponse>";
  EXPECT_FALSE(parse_assumed_role(text));
  EXPECT_EQ(find_token_service_error(text), "AccessDenied");
  EXPECT_EQ(find_token_service_error("nonsense"), "");
}

}  // namespace
}  // namespace tarn::aws
