#include "rest/operations.h"

#include <algorithm>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "api/contract.h"
#include "api/openapi.h"
#include "rest/testing/server_fixture.h"

namespace tarn::rest {
namespace {

const api::Contract& contract() {
  static const api::Contract the_contract(api::openapi_document());
  return the_contract;
}

TEST(Operations, AreThoseOfTheContractInItsOrder) {
  const auto& rules = contract().operations();
  ASSERT_EQ(operations().size(), rules.size());
  ASSERT_EQ(rules.size(), 134U);
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const Operation& operation = operations()[i];
    EXPECT_EQ(operation.id, rules[i].id);
    EXPECT_EQ(operation.method, rules[i].method) << operation.id;
    EXPECT_EQ(operation.path, rules[i].path) << operation.id;
  }
}

TEST(Operations, AreOpenExactlyWhereTheContractSaysSo) {
  for (const Operation& operation : operations()) {
    const bool open = operation.permission.kind() == Permission::Kind::open;
    EXPECT_EQ(open, contract().find(operation.id)->is_open) << operation.id;
  }
}

TEST(Operations, NamePermissionsWellFormed) {
  const std::set<std::string_view> services = {"fs", "auth", "ci", "retention", "branches", "pr"};
  for (const Operation& operation : operations()) {
    const bool demands = operation.permission.kind() == Permission::Kind::needs ||
                         operation.permission.kind() == Permission::Kind::per_item;
    EXPECT_EQ(demands, operation.permission.begin() != operation.permission.end()) << operation.id;
    for (const Need& need : operation.permission) {
      const auto colon = need.action.find(':');
      ASSERT_NE(colon, std::string_view::npos) << operation.id;
      EXPECT_TRUE(services.contains(need.action.substr(0, colon))) << operation.id;
    }
  }
}

TEST(Operations, WithoutHandlerSayTheyAreNotImplemented) {
  for (const Operation& operation : operations()) {
    const Implementation& how = operation.implementation;
    EXPECT_NE(how.handler == nullptr, how.missing.empty()) << operation.id;
  }
}

// A change here is a change of what clients can use: keep README and CHANGELOG in step.
TEST(Operations, LeaveOutWhatThisVersionDoesNotServe) {
  std::set<std::string_view> missing;
  for (const Operation& operation : operations()) {
    if (operation.implementation.handler == nullptr) missing.insert(operation.id);
  }
  const std::set<std::string_view> expected = {"addGroupMembership",
                                               "attachPolicyToGroup",
                                               "attachPolicyToUser",
                                               "createGroup",
                                               "createPolicy",
                                               "createPullRequest",
                                               "createSymlinkFile",
                                               "createUserExternalPrincipal",
                                               "deleteGroup",
                                               "deleteGroupMembership",
                                               "deletePolicy",
                                               "deleteUserExternalPrincipal",
                                               "detachPolicyFromGroup",
                                               "detachPolicyFromUser",
                                               "dumpRefs",
                                               "dumpStatus",
                                               "dumpSubmit",
                                               "externalPrincipalLogin",
                                               "getExternalPrincipal",
                                               "getGroup",
                                               "getGroupACL",
                                               "getMetaRange",
                                               "getMetadataObject",
                                               "getPolicy",
                                               "getRange",
                                               "importCancel",
                                               "importStart",
                                               "importStatus",
                                               "listGroupMembers",
                                               "listGroupPolicies",
                                               "listGroups",
                                               "listPolicies",
                                               "listUserGroups",
                                               "listUserExternalPrincipals",
                                               "listUserPolicies",
                                               "mergePullRequest",
                                               "oauthCallback",
                                               "prepareGarbageCollectionCommits",
                                               "prepareGarbageCollectionCommitsAsync",
                                               "prepareGarbageCollectionCommitsStatus",
                                               "prepareGarbageCollectionUncommitted",
                                               "restoreRefs",
                                               "restoreStatus",
                                               "restoreSubmit",
                                               "setGroupACL",
                                               "stsLogin",
                                               "updatePolicy",
                                               "updatePullRequest"};
  EXPECT_EQ(missing, expected);
}

class NotImplementedTest : public testing::RepositoryTest {};

TEST_F(NotImplementedTest, AnswersInTheApisErrorForm) {
  const auto group = send("POST", "/auth/groups", R"({"id":"g"})");
  EXPECT_EQ(group.status, 501);
  EXPECT_EQ(group.body, "{\"message\":\"Not Implemented\"}\n");
  EXPECT_EQ(group.header("Content-Type"), "application/json");
  const auto parts = send("POST", "/repositories/repo/branches/main/staging/pmpu?path=x&parts=2");
  EXPECT_EQ(parts.status, 501);
  EXPECT_EQ(parts.message(), "presign multipart upload API is not supported");
}

TEST_F(NotImplementedTest, RefusesStrangersFirst) {
  EXPECT_EQ(ask_as_stranger({.target = "/api/v1/auth/groups"}).status, 401);
}

TEST_F(NotImplementedTest, ChecksTheRequestFirst) {
  EXPECT_EQ(send("POST", "/auth/groups", R"({"id":1})").status, 400);
  EXPECT_EQ(get("/repositories/repo/actions/runs?amount=1001").status, 400);
}

}  // namespace
}  // namespace tarn::rest
