#include "rest/permissions.h"

#include <gtest/gtest.h>

#include "api/json_reader.h"
#include "rest/operations.h"
#include "rest/testing/server_fixture.h"
#include "testing/co_test.h"

namespace tarn::rest {
namespace {

using testing::Answer;

class PermissionsTest : public testing::ServerTest {
 public:
  /// "action @ resource" of every permission the operation takes.
  std::vector<std::string> of(std::string_view operation, std::string_view json = {}) {
    const Services services{catalog, engine, authority, clock, config};
    testing::FakeRequest request({.target = "/"});
    testing::FakeResponse response;
    Parameters params;
    for (const auto& [name, value] :
         std::initializer_list<std::pair<const char*, const char*>>{{"repository", "r"},
                                                                    {"branch", "b"},
                                                                    {"destinationBranch", "d"},
                                                                    {"ref", "v1"},
                                                                    {"tag", "t"},
                                                                    {"path", "p/q"},
                                                                    {"dest_path", "p/d"},
                                                                    {"userId", "u"},
                                                                    {"groupId", "g"},
                                                                    {"policyId", "y"},
                                                                    {"principalId", "e"}}) {
      params.add(name, value);
    }
    const std::optional<auth::Principal> principal;
    std::optional<api::JsonDocument> document;
    if (!json.empty()) document = *api::JsonDocument::parse(json);
    Context ctx;
    const Call call{ctx, services, request, response, params, principal, document};
    std::vector<std::string> shown;
    for (const Operation& row : operations()) {
      if (row.id != operation) continue;
      for (const auto& permission : permissions_of(row.permission, call)) {
        shown.push_back(std::string(permission.action) + " @ " + permission.resource);
      }
    }
    return shown;
  }
};

using Texts = std::vector<std::string>;

TEST_F(PermissionsTest, NameTheResourceOfTheRequest) {
  EXPECT_EQ(of("getObject"), Texts{"fs:ReadObject @ arn:lakefs:fs:::repository/r/object/p/q"});
  EXPECT_EQ(of("getBranch"), Texts{"fs:ReadBranch @ arn:lakefs:fs:::repository/r/branch/b"});
  EXPECT_EQ(of("logCommits"), Texts{"fs:ReadBranch @ arn:lakefs:fs:::repository/r/branch/v1"});
  EXPECT_EQ(of("mergeIntoBranch"),
            Texts{"fs:CreateCommit @ arn:lakefs:fs:::repository/r/branch/d"});
  EXPECT_EQ(of("getTag"), Texts{"fs:ReadTag @ arn:lakefs:fs:::repository/r/tag/t"});
  EXPECT_EQ(of("listRepositories"), Texts{"fs:ListRepositories @ *"});
  EXPECT_EQ(of("createSymlinkFile"),
            Texts{"fs:WriteObject @ arn:lakefs:fs:::repository/r/object/b"});
  EXPECT_EQ(of("deleteUser"), Texts{"auth:DeleteUser @ arn:lakefs:auth:::user/u"});
  EXPECT_EQ(of("getExternalPrincipal"),
            Texts{"auth:ReadExternalPrincipal @ arn:lakefs:auth:::externalPrincipal/e"});
  EXPECT_EQ(of("getGroupACL"), (Texts{"auth:ReadGroup @ arn:lakefs:auth:::group/g",
                                      "auth:ReadPolicy @ arn:lakefs:auth:::policy/ACL(_-_)g"}));
}

TEST_F(PermissionsTest, NameTheResourceOfTheBody) {
  EXPECT_EQ(of("createRepository", R"({"name":"new","storage_namespace":"s3://b/x"})"),
            (Texts{"fs:CreateRepository @ arn:lakefs:fs:::repository/new",
                   "fs:AttachStorageNamespace @ arn:lakefs:fs:::namespace/s3://b/x"}));
  EXPECT_EQ(of("createBranch", R"({"name":"n","source":"main"})"),
            Texts{"fs:CreateBranch @ arn:lakefs:fs:::repository/r/branch/n"});
  EXPECT_EQ(of("createTag", R"({"id":"n","ref":"main"})"),
            Texts{"fs:CreateTag @ arn:lakefs:fs:::repository/r/tag/n"});
  EXPECT_EQ(of("copyObject", R"({"src_path":"p/s"})"),
            (Texts{"fs:ReadObject @ arn:lakefs:fs:::repository/r/object/p/s",
                   "fs:WriteObject @ arn:lakefs:fs:::repository/r/object/p/d"}));
  EXPECT_EQ(of("uploadPartCopy", R"({"copy_source":{"repository":"o","ref":"m","path":"z"}})"),
            (Texts{"fs:WriteObject @ arn:lakefs:fs:::repository/r/object/p/q",
                   "fs:ReadObject @ arn:lakefs:fs:::repository/o/object/z"}));
}

TEST_F(PermissionsTest, RefuseStrangersOnEveryOperationThatIsNotOpen) {
  set_up();
  for (const Operation& row : operations()) {
    if (row.permission.kind() == Permission::Kind::open) continue;
    if (row.permission.kind() == Permission::Kind::tolerant) continue;
    // Every parameter any operation requires; bodies are checked first, so none is sent with one.
    std::string path(row.path);
    for (auto open = path.find('{'); open != std::string::npos; open = path.find('{')) {
      const std::string_view name = std::string_view(path).substr(open, path.find('}') - open + 1);
      path.replace(open, name.size(),
                   name == "{partNumber}" ? "1"
                   : name == "{type}"     ? "range"
                                          : "repo");
    }
    const Answer answer = ask_as_stranger(
        {.method = std::string(row.method),
         .target = "/api/v1" + path + "?path=a&dest_path=b&ref=main&id=x&task_id=x&principalId=x"});
    if (answer.status == 400 &&
        answer.message() == "request body has an error: value is required but missing") {
      continue;
    }
    EXPECT_EQ(answer.status, 401) << row.id << ": " << answer.body;
  }
}

class FailureTest : public testing::RepositoryTest {};

TEST_F(FailureTest, OfTheStoreIsNotExplainedToStrangers) {
  ::tarn::testing::run_co([this](Context& ctx) {
    return kv.set(ctx, "basicAuth", "users/superAdmin", "\xff\xff\xff");
  });
  const Answer answer = get("/repositories");
  EXPECT_EQ(answer.status, 500);
  EXPECT_EQ(answer.body, "{\"message\":\"internal server error\"}\n");
}

}  // namespace
}  // namespace tarn::rest
