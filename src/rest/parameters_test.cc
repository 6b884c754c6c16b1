// Parameters against the contract, with the texts of lakefs-http-behaviour.md "Silences filled".
#include "rest/parameters.h"

#include <gtest/gtest.h>

#include "api/contract.h"
#include "api/openapi.h"
#include "rest/testing/fake_http.h"

namespace tarn::rest {
namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;

const api::Contract& contract() {
  static const api::Contract the_contract(api::openapi_document());
  return the_contract;
}

std::expected<Parameters, Refusal> read(std::string_view operation, std::string_view query,
                                        Headers headers = {}) {
  const api::OperationRule* rule = contract().find(operation);
  http::RouteMatch match;
  for (const auto& parameter : rule->parameters) {
    if (parameter.in == api::ParameterRule::In::path) {
      match.params.push_back({.name = parameter.name, .value = "x"});
    }
  }
  const testing::FakeRequest request(
      {.target = std::string("/x?").append(query), .headers = std::move(headers)});
  return read_parameters(*rule, request, match);
}

std::string refusal(std::string_view operation, std::string_view query, Headers headers = {}) {
  const auto parameters = read(operation, query, std::move(headers));
  if (parameters) return "(accepted)";
  return (parameters.error().is_plain_text ? "text: " : "json: ") + parameters.error().message;
}

struct QueryCase {
  std::string_view operation;
  std::string_view query;
  std::string_view expected;
};

TEST(ReadParameters, AnswersWithTheReferencesTexts) {
  for (
      const auto& [operation, query, expected] : std::initializer_list<QueryCase>{
          {"listBranches", "amount=-1", "(accepted)"},
          {"listBranches", "amount=0", "(accepted)"},
          {"listBranches", "amount=1000", "(accepted)"},
          {"listBranches", "amount=%2B5", "(accepted)"},
          {"listBranches", "amount=05", "(accepted)"},
          {"listBranches", "amount=-2",
           R"(json: parameter "amount" in query has an error: number must be at least -1)"},
          {"listBranches", "amount=1001",
           R"(json: parameter "amount" in query has an error: number must be at most 1000)"},
          {"listBranches", "amount=1.0",
           R"(json: parameter "amount" in query has an error: value 1.0: an invalid integer: invalid syntax)"},
          {"listBranches", "amount=",
           "text: Invalid format for parameter amount: multiple values for single value "
           "parameter 'amount'"},
          {"listBranches", "amount",
           "text: Invalid format for parameter amount: multiple values for single value "
           "parameter 'amount'"},
          {"listBranches", "amount=1&amount=2",
           "text: Invalid format for parameter amount: multiple values for single value "
           "parameter 'amount'"},
          {"listBranches", "prefix=a&prefix=b",
           "text: Invalid format for parameter prefix: multiple values for single value "
           "parameter 'prefix'"},
          {"listBranches", "prefix=&after=", "(accepted)"},
          {"listBranches", "unknown=x&unknown=y", "(accepted)"},
          {"listBranches", "amount=5&bad=%zz", "(accepted)"},
          {"statObject", "",
           R"(json: parameter "path" in query has an error: value is required but missing)"},
          {"statObject", "path=%zz",
           R"(json: parameter "path" in query has an error: value is required but missing)"},
          {"statObject",
           "path=", R"(json: parameter "path" in query has an error: empty value is not allowed)"},
          {"statObject", "path=a&presign=1", "(accepted)"},
          {"statObject", "path=a&presign=True", "(accepted)"},
          {"statObject", "path=a&presign=yes",
           R"(json: parameter "presign" in query has an error: value yes: an invalid boolean: invalid syntax)"},
          {"diffRefs", "type=two_dot", "(accepted)"},
          {"diffRefs", "type=one_dot",
           R"(json: parameter "type" in query has an error: value is not one of the allowed values ["two_dot","three_dot"])"},
          {"logCommits", "objects=a&objects=b&prefixes=c&since=&stop_at=", "(accepted)"},
          {"logCommits", "since=2026-01-02T03:04:05Z", "(accepted)"},
          {"logCommits", "objects=",
           R"(json: parameter "objects" in query has an error: empty value is not allowed)"},
          {"logCommits", "since=yesterday",
           R"(json: parameter "since" in query has an error: string doesn't match the format "date-time")"}}) {
    EXPECT_EQ(refusal(operation, query), expected) << operation << "?" << query;
  }
}

TEST(ReadParameters, ChecksHeaders) {
  EXPECT_EQ(refusal("getObject", "path=a", {{"range", "bytes=0-1"}}), "(accepted)");
  EXPECT_EQ(refusal("getObject", "path=a", {{"Range", "bytes=0-1"}, {"range", "bytes=2-3"}}),
            "text: Expected one value for Range, got 2");
  EXPECT_EQ(refusal("getObject", "path=a", {{"Range", ""}}),
            R"(json: parameter "Range" in header has an error: empty value is not allowed)");
  EXPECT_EQ(
      refusal("getObject", "path=a", {{"If-None-Match", ""}}),
      R"(json: parameter "If-None-Match" in header has an error: empty value is not allowed)");
  EXPECT_TRUE(refusal("getObject", "path=a", {{"Range", "byte=0-1"}})
                  .starts_with("json: parameter \"Range\" in header has an error: string doesn't "
                               "match the regular expression"));
  EXPECT_EQ(refusal("setBranchProtectionRules", "", {{"If-Match", ""}}),
            "text: Invalid format for parameter If-Match: parameter 'If-Match' is empty, can't "
            "bind its value");
}

TEST(ReadParameters, FillsInDefaults) {
  const auto parameters = read("listObjects", "delimiter=/");
  ASSERT_TRUE(parameters.has_value());
  EXPECT_EQ(parameters->integer("amount"), 100);
  EXPECT_TRUE(parameters->flag("user_metadata"));
  EXPECT_FALSE(parameters->flag("presign"));
  EXPECT_FALSE(parameters->has("presign"));
  EXPECT_EQ(parameters->text("delimiter"), "/");
}

TEST(ReadParameters, KeepsRepeatedOnesInOrder) {
  const auto parameters = read("logCommits", "objects=b&objects=a");
  ASSERT_TRUE(parameters.has_value());
  EXPECT_EQ(parameters->list("objects"), (std::vector<std::string>{"b", "a"}));
}

TEST(ReadParameters, ReplacesInvalidUtf8) {
  const auto parameters = read("statObject", "path=a%ff");
  ASSERT_TRUE(parameters.has_value());
  EXPECT_EQ(parameters->text("path"), "a\xEF\xBF\xBD");
}

}  // namespace
}  // namespace tarn::rest
