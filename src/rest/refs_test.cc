// Branches, tags and commits.
#include <gtest/gtest.h>

#include "rest/testing/server_fixture.h"

namespace tarn::rest {
namespace {

using testing::Answer;
using testing::RepositoryTest;

struct SendCase {
  std::string_view method;
  std::string_view path;  // below the repository
  std::string_view body;
  int status;
  std::string_view message;
};

class RefsTest : public RepositoryTest {
 public:
  Answer in_repo(std::string_view method, std::string_view path, std::string_view body = {}) {
    return send(method, std::string("/repositories/repo").append(path), body);
  }

  void expect_all(std::initializer_list<SendCase> cases) {
    for (const auto& [method, path, body, status, message] : cases) {
      const Answer answer = in_repo(method, path, body);
      EXPECT_EQ(answer.status, status) << method << " " << path << " " << body << answer.body;
      EXPECT_EQ(answer.message(), message) << method << " " << path << " " << body;
    }
  }
};

constexpr std::string_view kBadBranch =
    "argument branch: branch id: invalid value: validation error";
constexpr std::string_view kBadTag = "argument tagID: tag id: invalid value: validation error";

class BranchesTest : public RefsTest {};

TEST_F(BranchesTest, AreMadeWithTheBareCommitIdAsAnswer) {
  const Answer made = in_repo("POST", "/branches", R"({"name":"dev","source":"main"})");
  EXPECT_EQ(made.status, 201);
  EXPECT_EQ(made.header("Content-Type"), "text/plain; charset=utf-8");
  EXPECT_EQ(made.body, in_repo("GET", "/branches/main").at("commit_id"));
  const Answer branch = in_repo("GET", "/branches/dev");
  EXPECT_EQ(branch.at("id"), "dev");
  EXPECT_EQ(branch.at("commit_id"), made.body);
}

TEST_F(BranchesTest, AreRefusedWithTheReferencesTexts) {
  in_repo("POST", "/tags", R"({"id":"v1","ref":"main"})");
  expect_all(
      {{"POST", "/branches", R"({"name":"main","source":"main"})", 409,
        "branch already exists: not unique"},
       {"POST", "/branches", R"({"name":"v1","source":"main"})", 409, "tag ID v1: conflict found"},
       {"POST", "/branches", R"({"name":"","source":"main"})", 400,
        "argument branch: required value: validation error"},
       {"POST", "/branches", R"({"name":"x","source":""})", 400,
        "argument ref: required value: validation error"},
       {"POST", "/branches", R"({"name":"a.b","source":"main"})", 400,
        "argument branch: branch id: invalid value: validation error: branch id must consist of "
        "letters, digits, underscores and dashes, and cannot start with a dash"},
       {"POST", "/branches", R"({"name":"x","source":"nope"})", 404,
        "source reference 'nope': not found"},
       {"POST", "/branches", R"({"name":"x","source":"main$"})", 400,
        "source reference 'main$': can't create a branch without commit"},
       {"GET", "/branches/nope", "", 404, "branch not found"},
       {"GET", "/branches/a.b", "", 400, kBadBranch},
       {"GET", "/branches/v1", "", 404, "branch not found"},
       {"DELETE", "/branches/main", "", 403, "cannot delete repository default branch"},
       {"DELETE", "/branches/nope", "", 404, "branch not found"},
       {"DELETE", "/branches/a.b", "", 400,
        "argument name: branch id: invalid value: validation error"}});
}

TEST_F(BranchesTest, AreListedUnlessHidden) {
  in_repo("POST", "/branches", R"({"name":"seen","source":"main"})");
  in_repo("POST", "/branches", R"({"name":"hid","source":"main","hidden":true})");
  EXPECT_EQ(get("/repositories/repo/branches").all("id"),
            (std::vector<std::string>{"main", "seen"}));
  EXPECT_EQ(get("/repositories/repo/branches?show_hidden=true").all("id"),
            (std::vector<std::string>{"hid", "main", "seen"}));
  EXPECT_EQ(in_repo("GET", "/branches/hid").status, 200);
}

TEST_F(BranchesTest, AreDeletedWithWhatIsStaged) {
  in_repo("POST", "/branches", R"({"name":"dev","source":"main"})");
  upload("dev", "a", "1");
  EXPECT_EQ(in_repo("DELETE", "/branches/dev").status, 204);
  in_repo("POST", "/branches", R"({"name":"dev","source":"main"})");
  EXPECT_EQ(get("/repositories/repo/refs/dev/objects/ls").count(), 0U);
}

class ResetTest : public RefsTest {
 public:
  std::vector<std::string> staged() {
    return get("/repositories/repo/branches/main/diff").all("path");
  }
};

TEST_F(ResetTest, DropsOneObjectAPrefixOrEverything) {
  for (const char* path : {"bar", "bar/x", "barz", "foo", "keep"})
    upload("main", path, "1");
  EXPECT_EQ(in_repo("PUT", "/branches/main", R"({"type":"object","path":"bar"})").status, 204);
  EXPECT_EQ(staged(), (std::vector<std::string>{"bar/x", "barz", "foo", "keep"}));
  EXPECT_EQ(in_repo("PUT", "/branches/main", R"({"type":"common_prefix","path":"bar"})").status,
            204);
  EXPECT_EQ(staged(), (std::vector<std::string>{"foo", "keep"}));
  EXPECT_EQ(in_repo("PUT", "/branches/main", R"({"type":"object","path":"none"})").status, 204);
  EXPECT_EQ(in_repo("PUT", "/branches/main", R"({"type":"reset","path":"foo"})").status, 204);
  EXPECT_TRUE(staged().empty());
}

TEST_F(ResetTest, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(in_repo("PUT", "/branches/main", R"({"type":"object"})").message(),
            "argument path: missing path: required value: validation error");
  EXPECT_EQ(in_repo("PUT", "/branches/main", R"({"type":"all"})").status, 400);
  EXPECT_EQ(in_repo("PUT", "/branches/nope", R"({"type":"reset"})").status, 404);
}

TEST_F(ResetTest, MovesTheHead) {
  upload("main", "a", "1");
  const std::string first = commit("main", "one");
  upload("main", "a", "2");
  commit("main", "two");
  EXPECT_EQ(in_repo("PUT", "/branches/main/hard_reset?ref=" + first).status, 204);
  EXPECT_EQ(in_repo("GET", "/branches/main").at("commit_id"), first);
  const Answer unknown = in_repo("PUT", "/branches/main/hard_reset?ref=nope");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(unknown.message(), "hard-reset main to nope: not found");
  EXPECT_EQ(in_repo("PUT", "/branches/main/hard_reset").status, 400);
}

class TagsTest : public RefsTest {};

TEST_F(TagsTest, AreMadeListedAndDeleted) {
  const Answer made = in_repo("POST", "/tags", R"({"id":"v1.0","ref":"main"})");
  EXPECT_EQ(made.status, 201);
  EXPECT_EQ(made.at("id"), "v1.0");
  EXPECT_EQ(made.at("commit_id"), in_repo("GET", "/branches/main").at("commit_id"));
  EXPECT_EQ(in_repo("GET", "/tags/v1.0").at("commit_id"), made.at("commit_id"));
  EXPECT_EQ(get("/repositories/repo/tags").all("id"), std::vector<std::string>{"v1.0"});
  EXPECT_EQ(in_repo("DELETE", "/tags/v1.0").status, 204);
  EXPECT_EQ(in_repo("DELETE", "/tags/v1.0").message(), "tag not found");
  EXPECT_EQ(in_repo("GET", "/tags/v1.0").status, 404);
}

TEST_F(TagsTest, AreRefusedWithTheReferencesTexts) {
  in_repo("POST", "/tags", R"({"id":"v1","ref":"main"})");
  expect_all(
      {{"POST", "/tags", R"({"id":"v1","ref":"main"})", 409, "tag already exists: not unique"},
       {"POST", "/tags", R"({"id":"main","ref":"main"})", 409, "branch name main: conflict found"},
       {"POST", "/tags", R"({"id":"","ref":"main"})", 400,
        "argument tagID: required value: validation error"},
       {"POST", "/tags", R"({"id":"a..b","ref":"main"})", 400, kBadTag},
       {"POST", "/tags", R"({"id":"x","ref":""})", 400, "ref: invalid value: validation error"},
       {"POST", "/tags", R"({"id":"x","ref":"main$"})", 400,
        "ref: invalid value: validation error: should point to a commit"},
       {"GET", "/tags/a..b", "", 400, kBadTag}});
  EXPECT_EQ(in_repo("POST", "/tags", R"({"id":"x","ref":"nope"})").status, 404);
}

class CommitsTest : public RefsTest {};

TEST_F(CommitsTest, DescribeThemselves) {
  upload("main", "a", "1");
  const std::string parent = in_repo("GET", "/branches/main").at("commit_id");
  const Answer made = in_repo("POST", "/branches/main/commits",
                              R"({"message":"héllo <&>","metadata":{"k":"v"},"date":0})");
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.at("committer"), "admin");
  EXPECT_EQ(made.at("message"), "héllo <&>");
  EXPECT_EQ(made.at("parents.0"), parent);
  EXPECT_EQ(made.at("metadata.k"), "v");
  EXPECT_EQ(made.at("creation_date"), "0");
  EXPECT_EQ(made.at("generation"), "2");
  EXPECT_EQ(made.at("version"), "1");
  EXPECT_EQ(made.at("meta_range_id").size(), 64U);
  const std::string id = made.at("id");
  for (const std::string& ref : {id, id.substr(0, 8), std::string("main"), std::string("main@")}) {
    EXPECT_EQ(in_repo("GET", "/commits/" + ref).body, made.body) << ref;
  }
  EXPECT_EQ(in_repo("GET", "/commits/main~1").at("id"), parent);
  EXPECT_EQ(in_repo("GET", "/commits/main%5E").at("id"), parent);
}

TEST_F(CommitsTest, AreRefusedWithTheReferencesTexts) {
  expect_all({{"POST", "/branches/main/commits", R"({"message":"m"})", 400, "commit: no changes"},
              {"POST", "/branches/nope/commits", R"({"message":"m"})", 404, "branch not found"},
              {"GET", "/commits/nope", "", 404, "commit not found"},
              {"GET", "/commits/main~5", "", 404, "commit not found"},
              {"GET", "/commits/main$", "", 400,
               "ref: invalid value: validation error: should point to a commit"}});
  EXPECT_EQ(in_repo("GET", "/commits/main~x").status, 400);
  EXPECT_EQ(
      in_repo("POST", "/branches/main/commits", R"({"message":"","allow_empty":true})").status,
      201);
}

TEST_F(CommitsTest, OfAGivenTreeNeedACleanBranch) {
  upload("main", "a", "1");
  const std::string tree = in_repo("GET", "/commits/" + commit("main", "one")).at("meta_range_id");
  in_repo("POST", "/branches", R"({"name":"dev","source":"main~1"})");
  EXPECT_EQ(in_repo("POST", "/branches/dev/commits?source_metarange=" + tree, R"({"message":"m"})")
                .at("meta_range_id"),
            tree);
  upload("dev", "b", "1");
  const Answer dirty =
      in_repo("POST", "/branches/dev/commits?source_metarange=" + tree, R"({"message":"m"})");
  EXPECT_EQ(dirty.status, 400);
  EXPECT_EQ(dirty.message(), "cannot use source MetaRange on a branch with uncommitted changes");
}

TEST_F(CommitsTest, CanBeRecordedUnderTheirOwnIdOnly) {
  const auto record = [](std::string_view id) {
    return std::string(R"({"commit_id":")")
        .append(id)
        .append(R"(","version":1,"committer":"","message":"m","metarange_id":"",)")
        .append(R"("creation_date":0,"parents":[],"generation":1})");
  };
  for (const std::string& id : {std::string(64, 'a'), std::string("short")}) {
    const Answer answer = in_repo("POST", "/commits", record(id));
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(answer.message(), "commit id: invalid value: validation error");
  }
}

}  // namespace
}  // namespace tarn::rest
