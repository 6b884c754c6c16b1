#include <gtest/gtest.h>

#include "rest/testing/server_fixture.h"

namespace tarn::rest {
namespace {

using testing::Answer;
using testing::RepositoryTest;

class RepositoriesTest : public RepositoryTest {};

TEST_F(RepositoriesTest, AreDescribed) {
  const Answer repository = get("/repositories/repo");
  EXPECT_EQ(repository.status, 200);
  EXPECT_EQ(repository.at("id"), "repo");
  EXPECT_EQ(repository.at("default_branch"), "main");
  EXPECT_EQ(repository.at("storage_namespace"), "mem://repo");
  EXPECT_EQ(repository.at("storage_id"), "");
  EXPECT_EQ(repository.at("read_only"), "false");
  EXPECT_EQ(repository.at("creation_date"), std::to_string(clock.now().seconds));
  const Answer log = get("/repositories/repo/refs/main/commits");
  EXPECT_EQ(log.count(), 1U);
  EXPECT_EQ(log.at("results.0.message"), "Repository created");
  EXPECT_EQ(log.at("results.0.committer"), "");
  EXPECT_EQ(log.at("results.0.meta_range_id"), "");
  EXPECT_EQ(log.at("results.0.parents"), "(0)");
  EXPECT_EQ(log.at("results.0.metadata"), "(0)");
}

struct CreationCase {
  std::string_view body;
  int status;
  std::string_view message;
};

TEST_F(RepositoriesTest, AreRefusedWithTheReferencesTexts) {
  for (const auto& [body, status, message] : std::initializer_list<CreationCase>{
           {R"({"name":"repo","storage_namespace":"mem://other"})", 409,
            "error creating repository: not unique"},
           {R"({"name":"two","storage_namespace":"mem://two","storage_id":"x"})", 400,
            "storage id: invalid value: validation error"},
           {R"({"name":"two","storage_namespace":"s3://two"})", 400,
            "failed to match required regex ^mem://: invalid namespace"},
           {R"({"name":"two","storage_namespace":"mem://repo"})", 400,
            "failed to create repository: found lakeFS objects in the storage (:mem://repo) "
            "key(_lakefs/dummy): storage namespace already in use"}}) {
    const Answer answer = send("POST", "/repositories", body);
    EXPECT_EQ(answer.status, status) << body;
    EXPECT_EQ(answer.message(), message) << body;
  }
  EXPECT_EQ(send("POST", "/repositories", R"({"name":"A","storage_namespace":"mem://a"})").status,
            400);
}

TEST_F(RepositoriesTest, AreListedBySubstringAndPage) {
  for (const std::string name : {"alpha", "beta-x", "gamma-x"}) {
    ASSERT_EQ(send("POST", "/repositories",
                   R"({"name":")" + name + R"(","storage_namespace":"mem://)" + name + R"("})")
                  .status,
              201);
  }
  EXPECT_EQ(get("/repositories").all("id"),
            (std::vector<std::string>{"alpha", "beta-x", "gamma-x", "repo"}));
  EXPECT_EQ(get("/repositories?search=-x&amount=1").all("id"), std::vector<std::string>{"beta-x"});
  EXPECT_EQ(get("/repositories?search=-x&amount=1").at("pagination.has_more"), "true");
  EXPECT_EQ(get("/repositories?prefix=ga").all("id"), std::vector<std::string>{"gamma-x"});
}

TEST_F(RepositoriesTest, CanBeDeletedAndMadeAgain) {
  EXPECT_EQ(send("DELETE", "/repositories/nope").message(), "repository not found");
  EXPECT_EQ(send("DELETE", "/repositories/repo").status, 204);
  EXPECT_EQ(get("/repositories/repo").status, 404);
  EXPECT_EQ(
      send("POST", "/repositories", R"({"name":"repo","storage_namespace":"mem://again"})").status,
      201);
}

TEST_F(RepositoriesTest, CanBeBare) {
  ASSERT_EQ(
      send("POST", "/repositories?bare=true", R"({"name":"bare","storage_namespace":"mem://bare"})")
          .status,
      201);
  EXPECT_EQ(get("/repositories/bare/branches").count(), 0U);
}

TEST_F(RepositoriesTest, RefuseWritesWhenReadOnly) {
  ASSERT_EQ(send("POST", "/repositories",
                 R"({"name":"frozen","storage_namespace":"mem://frozen","read_only":true})")
                .status,
            201);
  const Answer refused =
      send("POST", "/repositories/frozen/branches", R"({"name":"b","source":"main"})");
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(refused.message(), "read-only repository");
  EXPECT_EQ(
      send("POST", "/repositories/frozen/branches", R"({"name":"b","source":"main","force":true})")
          .status,
      201);
  EXPECT_EQ(send("DELETE", "/repositories/frozen").status, 403);
  EXPECT_EQ(send("DELETE", "/repositories/frozen?force=true").status, 204);
}

TEST_F(RepositoriesTest, ComeWithSampleDataWhenAsked) {
  const Answer made =
      send("POST", "/repositories",
           R"({"name":"sample","storage_namespace":"mem://sample","sample_data":true})");
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_GT(get("/repositories/sample/refs/main/objects/ls").count(), 2U);
  EXPECT_EQ(get("/repositories/sample/refs/main/commits").at("results.0.message"),
            "Add sample data");
  EXPECT_NE(get("/repositories/sample/refs/main/objects?path=README.md").body.find("sample"),
            std::string::npos);
}

TEST_F(RepositoriesTest, RefuseIllegalNames) {
  const Answer answer = get("/repositories/REPO/branches");
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.message(),
            "argument repository: repository id: invalid value: validation error");
}

class RepositoryMetadataTest : public RepositoryTest {};

TEST_F(RepositoryMetadataTest, IsMergedAndDeletedByKey) {
  constexpr const char* kPath = "/repositories/repo/metadata";
  EXPECT_EQ(get(kPath).body, "{}\n");
  EXPECT_EQ(send("POST", kPath, R"({"metadata":{"a":"1","b":"2"}})").status, 204);
  EXPECT_EQ(send("POST", kPath, R"({"metadata":{"b":"3"}})").status, 204);
  EXPECT_EQ(send("POST", kPath, R"({"metadata":{}})").status, 204);
  EXPECT_EQ(get(kPath).body, "{\"a\":\"1\",\"b\":\"3\"}\n");
  EXPECT_EQ(send("DELETE", kPath, R"({"keys":["a","unknown"]})").status, 204);
  EXPECT_EQ(get(kPath).body, "{\"b\":\"3\"}\n");
  EXPECT_EQ(send("POST", "/repositories/nope/metadata", R"({"metadata":{}})").status, 404);
}

class RetentionTest : public RepositoryTest {};

TEST_F(RetentionTest, RulesAreKept) {
  constexpr const char* kPath = "/repositories/repo/settings/gc_rules";
  EXPECT_EQ(get(kPath).status, 404);
  EXPECT_EQ(get(kPath).message(), "not found");
  EXPECT_EQ(send("PUT", kPath, R"({"default_retention_days":7,"branches":[]})").status, 204);
  EXPECT_EQ(get(kPath).body, "{\"default_retention_days\":7,\"branches\":[]}\n");
  EXPECT_EQ(
      send("POST", "/repositories/repo/gc/rules",
           R"({"default_retention_days":-1,"branches":[{"branch_id":"b","retention_days":0}]})")
          .status,
      204);
  EXPECT_EQ(get("/repositories/repo/gc/rules").at("branches.0.branch_id"), "b");
  EXPECT_EQ(send("PUT", kPath, R"({"default_retention_days":9999999999,"branches":[]})").status,
            400);
  EXPECT_EQ(send("DELETE", kPath).status, 204);
  EXPECT_EQ(get(kPath).status, 404);
}

class BranchProtectionTest : public RepositoryTest {
 public:
  static constexpr const char* kPath = "/repositories/repo/settings/branch_protection";

  Answer put(std::string_view rules, std::string if_match) {
    return ask({.method = "PUT",
                .target = std::string("/api/v1").append(kPath),
                .headers = {{"Content-Type", "application/json"}, {"If-Match", if_match}},
                .body = std::string(rules)});
  }
};

TEST_F(BranchProtectionTest, StartsWithoutRulesAndChecksum) {
  const Answer rules = get(kPath);
  EXPECT_EQ(rules.body, "[]\n");
  EXPECT_TRUE(rules.has_header("ETag"));
  EXPECT_EQ(rules.header("ETag"), "");
  EXPECT_EQ(put("[]", "*").status, 412);
  EXPECT_EQ(put("[]", "").status, 400);
}

TEST_F(BranchProtectionTest, IsReplacedUnderItsChecksum) {
  EXPECT_EQ(
      send("PUT", kPath, R"([{"pattern":"main"},{"pattern":"main"},{"pattern":"rel-*"}])").status,
      204);
  const Answer rules = get(kPath);
  EXPECT_EQ(rules.body, "[{\"pattern\":\"main\"},{\"pattern\":\"rel-*\"}]\n");
  const std::string checksum = rules.header("ETag");
  EXPECT_EQ(checksum.find('"'), std::string::npos);
  const Answer stale = put("[]", "0" + checksum);
  EXPECT_EQ(stale.status, 412);
  EXPECT_EQ(stale.message(), "Precondition failed");
  EXPECT_EQ(put("[]", checksum).status, 204);
  EXPECT_EQ(get(kPath).body, "[]\n");
}

TEST_F(BranchProtectionTest, RefusesWritesAndCommitsBeforeTheirBodies) {
  upload("main", "staged", "x");
  ASSERT_EQ(send("PUT", kPath, R"([{"pattern":"ma*"}])").status, 204);
  const Answer write = upload("main", "a", "b");
  EXPECT_EQ(write.status, 403);
  EXPECT_EQ(write.message(), "cannot write to protected branch");
  EXPECT_FALSE(write.read_body);
  const Answer commit =
      send("POST", "/repositories/repo/branches/main/commits", R"({"message":"m"})");
  EXPECT_EQ(commit.status, 403);
  EXPECT_EQ(commit.message(), "cannot commit to protected branch");
  const Answer deletions =
      send("POST", "/repositories/repo/branches/main/objects/delete", R"({"paths":["staged"]})");
  EXPECT_EQ(deletions.status, 200);
  EXPECT_EQ(deletions.at("errors.0.status_code"), "403");
  EXPECT_EQ(deletions.at("errors.0.path"), "staged");
}

TEST_F(BranchProtectionTest, HasTheInternalForms) {
  constexpr const char* kInternal = "/repositories/repo/branch_protection";
  EXPECT_EQ(send("POST", kInternal, R"({"pattern":"a"})").status, 204);
  EXPECT_EQ(send("POST", kInternal, R"({"pattern":"a"})").status, 204);
  EXPECT_EQ(get(kInternal).body, "[{\"pattern\":\"a\"}]\n");
  EXPECT_EQ(send("DELETE", kInternal, R"({"pattern":"a"})").status, 204);
  const Answer absent = send("DELETE", kInternal, R"({"pattern":"a"})");
  EXPECT_EQ(absent.status, 404);
  EXPECT_EQ(absent.body, "");
  EXPECT_EQ(get("/repositories/repo/branch_protection/set_allowed").status, 204);
  EXPECT_EQ(get("/repositories/repo/gc/rules/set_allowed").status, 204);
}

}  // namespace
}  // namespace tarn::rest
