#include "api/schema.h"

#include <gtest/gtest.h>

#include "api/contract.h"
#include "api/openapi.h"

namespace tarn::api {
namespace {

const Contract& contract() {
  static const Contract the_contract(openapi_document());
  return the_contract;
}

std::string violation(std::string_view component, std::string_view text) {
  const auto document = JsonDocument::parse(text);
  if (!document) return "(does not parse)";
  return find_violation(*contract().find_schema(component), document->root()).value_or("");
}

constexpr std::string_view kBranch = "doesn't match schema #/components/schemas/BranchCreation: ";

std::string of_branch(std::string_view rest) {
  return std::string(kBranch).append(rest);
}

TEST(Schema, AcceptsWhatTheContractDescribes) {
  EXPECT_EQ(violation("BranchCreation", R"({"name":"a","source":"b","unknown":[1]})"), "");
  EXPECT_EQ(violation("StagingLocation", R"({"presigned_url":null})"), "");
  EXPECT_EQ(violation("Policy", R"({"id":"p","statement":[{"effect":"allow","resource":"*",
      "action":["fs:*"],"condition":{"IpAddress":{"SourceIp":["10.0.0.1"]}}}]})"),
            "");
}

TEST(Schema, SaysWhatIsWrongAndWhere) {
  EXPECT_EQ(violation("BranchCreation", R"({"source":"b"})"),
            of_branch(R"(Error at "/name": property "name" is missing)"));
  EXPECT_EQ(violation("BranchCreation", R"({"name":3,"source":"b"})"),
            of_branch(R"(Error at "/name": value must be a string)"));
  EXPECT_EQ(violation("BranchCreation", "[]"), of_branch("value must be an object"));
  EXPECT_EQ(violation("BranchCreation", R"({"name":"a","source":"b","force":null})"),
            of_branch(R"(Error at "/force": Value is not nullable)"));
  EXPECT_EQ(violation("PathList", R"({"paths":["a",1]})"),
            "doesn't match schema #/components/schemas/PathList: Error at \"/paths/1\": value must "
            "be a string");
  EXPECT_EQ(violation("UploadPartCopyFrom", R"({"physical_address":"a"})"),
            "doesn't match schema #/components/schemas/UploadPartCopyFrom: Error at "
            "\"/copy_source\": property \"copy_source\" is missing");
}

TEST(Schema, ChecksNumbersEnumsPatternsAndLengths) {
  EXPECT_NE(violation("ResetCreation", R"({"type":"all"})"), "");
  EXPECT_NE(violation("BranchProtectionRule", R"({"pattern":""})"), "");
  EXPECT_NE(violation("CommitCreation", R"({"message":"m","date":1.5})"), "");
  EXPECT_EQ(violation("CommitCreation", R"({"message":"m","date":-5})"), "");
  EXPECT_NE(violation("RepositoryCreation", R"({"name":"A","storage_namespace":"mem://a"})"), "");
  EXPECT_NE(violation("RepositoryCreation", R"({"name":"abc","storage_namespace":"ftp://a"})"), "");
  EXPECT_NE(violation("CommitCreation", R"({"message":"m","metadata":{"k":1}})"), "");
  EXPECT_NE(violation("Policy", R"({"id":"p","statement":[]})"), "");
}

struct PatternCase {
  std::string_view text;
  bool matches;
};

TEST(MatchesPattern, ReadsRangesAsTheContractWritesThem) {
  constexpr std::string_view kPattern = R"(^bytes=((\d*-\d*,? ?)+)$)";
  ASSERT_TRUE(is_known_pattern(kPattern));
  for (const auto& [text, matches] : std::initializer_list<PatternCase>{{"bytes=0-1", true},
                                                                        {"bytes=-5", true},
                                                                        {"bytes=5-", true},
                                                                        {"bytes=-", true},
                                                                        {"bytes=0-1,3-4", true},
                                                                        {"bytes=0-1, 3-4", true},
                                                                        {"bytes=", false},
                                                                        {"byte=0-1", false},
                                                                        {"bytes=a-b", false},
                                                                        {"bytes=1", false},
                                                                        {"bytes=0-1,,2-3", false},
                                                                        {"Bytes=0-1", false}}) {
    EXPECT_EQ(matches_pattern(kPattern, text), matches) << text;
  }
}

}  // namespace
}  // namespace tarn::api
