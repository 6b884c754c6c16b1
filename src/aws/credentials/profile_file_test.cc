#include "aws/credentials/profile_file.h"

#include <gtest/gtest.h>

namespace tarn::aws {
namespace {

constexpr std::string_view kText =
    "# keys\n"
    "[default]\n"
    "aws_access_key_id = AKIADEFAULT\r\n"
    "AWS_SECRET_ACCESS_KEY=a=b/c+d==  # mine\n"
    "s3 =\n"
    "  max_concurrent_requests = 20\n"
    "nonsense\n"
    "\n"
    "[profile  other ]\n"
    "region = eu-central-1\n"
    "[default]\n"
    "region = us-west-2\n";

TEST(ProfileFile, FindsTheKeysOfASection) {
  const auto profile = find_profile(kText, "default");
  ASSERT_TRUE(profile);
  EXPECT_EQ(find_value(*profile, "aws_access_key_id"), "AKIADEFAULT");
  EXPECT_EQ(find_value(*profile, "aws_secret_access_key"), "a=b/c+d==");
  EXPECT_EQ(find_value(*profile, "region"), "us-west-2");
}

TEST(ProfileFile, FindsSectionsOfConfigFiles) {
  const auto profile = find_profile(kText, "other");
  ASSERT_TRUE(profile);
  EXPECT_EQ(find_value(*profile, "region"), "eu-central-1");
}

TEST(ProfileFile, SkipsNestedAndEmptyValues) {
  const auto profile = find_profile(kText, "default");
  EXPECT_FALSE(find_value(*profile, "s3"));
  EXPECT_FALSE(find_value(*profile, "max_concurrent_requests"));
}

TEST(ProfileFile, HasNoOtherProfiles) {
  for (const char* name : {"profile other", "", "def", "profile"}) {
    EXPECT_FALSE(find_profile(kText, name)) << name;
  }
  EXPECT_FALSE(find_profile("", "default"));
  EXPECT_FALSE(find_profile("[default", "default"));
}

}  // namespace
}  // namespace tarn::aws
