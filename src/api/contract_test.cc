#include "api/contract.h"

#include <gtest/gtest.h>

#include "api/openapi.h"

namespace tarn::api {
namespace {

const Contract& contract() {
  static const Contract the_contract(openapi_document());
  return the_contract;
}

const ParameterRule* find_parameter(std::string_view operation, std::string_view name) {
  const OperationRule* rule = contract().find(operation);
  if (rule == nullptr) return nullptr;
  for (const auto& parameter : rule->parameters) {
    if (parameter.name == name) return &parameter;
  }
  return nullptr;
}

TEST(OpenapiDocument, IsTheWholeFile) {
  EXPECT_TRUE(openapi_document().starts_with("{"));
  EXPECT_TRUE(openapi_document().find("\"oauthCallback\"") != std::string_view::npos);
  EXPECT_TRUE(JsonDocument::parse(openapi_document()).has_value());
}

TEST(Contract, KnowsEveryOperation) {
  EXPECT_EQ(contract().operations().size(), 134U);
  EXPECT_EQ(contract().find("noSuchOperation"), nullptr);
  const OperationRule* rule = contract().find("headObject");
  ASSERT_NE(rule, nullptr);
  EXPECT_EQ(rule->method, "HEAD");
  EXPECT_EQ(rule->path, "/repositories/{repository}/refs/{ref}/objects");
  EXPECT_FALSE(rule->is_open);
  EXPECT_TRUE(contract().find("login")->is_open);
}

TEST(Contract, ReadsSharedParameters) {
  const ParameterRule* amount = find_parameter("listObjects", "amount");
  ASSERT_NE(amount, nullptr);
  EXPECT_EQ(amount->in, ParameterRule::In::query);
  EXPECT_EQ(amount->default_text, "100");
  EXPECT_EQ(amount->schema->minimum, -1);
  EXPECT_EQ(amount->schema->maximum, 1'000);
  const ParameterRule* repository = find_parameter("listObjects", "repository");
  ASSERT_NE(repository, nullptr);
  EXPECT_EQ(repository->in, ParameterRule::In::path);
}

TEST(Contract, KnowsWhichParametersMayBeEmpty) {
  for (const auto* name : {"after", "prefix", "delimiter"}) {
    EXPECT_TRUE(find_parameter("listObjects", name)->allow_empty) << name;
  }
  EXPECT_TRUE(find_parameter("setBranchProtectionRules", "If-Match")->allow_empty);
  EXPECT_FALSE(find_parameter("statObject", "path")->allow_empty);
  EXPECT_TRUE(find_parameter("logCommits", "since")->is_date_time);
}

TEST(Contract, ReadsBodies) {
  EXPECT_TRUE(contract().find("createBranch")->body->required);
  EXPECT_FALSE(contract().find("mergeIntoBranch")->body->required);
  EXPECT_EQ(contract().find("createBranch")->body->json->name, "BranchCreation");
  EXPECT_FALSE(contract().find("uploadObject")->body->validate);
  EXPECT_FALSE(contract().find("getBranch")->body.has_value());
}

}  // namespace
}  // namespace tarn::api
