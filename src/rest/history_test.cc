// Log, diff, merge, revert and cherry-pick.
#include <gtest/gtest.h>

#include "rest/testing/server_fixture.h"

namespace tarn::rest {
namespace {

using testing::Answer;
using testing::RepositoryTest;

using Texts = std::vector<std::string>;

class HistoryTest : public RepositoryTest {
 public:
  Answer in_repo(std::string_view method, std::string_view path, std::string_view body = {}) {
    return send(method, std::string("/repositories/repo").append(path), body);
  }

  std::string put(std::string_view branch, std::string_view path, std::string_view content) {
    clock.advance(std::chrono::seconds(1));
    EXPECT_EQ(upload(branch, path, content).status, 201);
    return commit(branch, path);
  }

  void branch(std::string_view name, std::string_view source) {
    EXPECT_EQ(in_repo("POST", "/branches",
                      std::string(R"({"name":")")
                          .append(name)
                          .append(R"(","source":")")
                          .append(source)
                          .append(R"("})"))
                  .status,
              201);
  }

  Texts log(std::string_view query) {
    return in_repo("GET", std::string("/refs/main/commits").append(query)).all("message");
  }
};

class LogTest : public HistoryTest {};

TEST_F(LogTest, IsNewestFirstInPages) {
  put("main", "a", "1");
  put("main", "b", "1");
  put("main", "c", "1");
  EXPECT_EQ(log(""), (Texts{"c", "b", "a", "Repository created"}));
  const Answer page = in_repo("GET", "/refs/main/commits?amount=2");
  EXPECT_EQ(page.all("message"), (Texts{"c", "b"}));
  EXPECT_EQ(page.at("pagination.has_more"), "true");
  const std::string next = page.at("pagination.next_offset");
  EXPECT_EQ(next, page.at("results.1.id"));
  EXPECT_EQ(log("?amount=2&after=" + next), (Texts{"a", "Repository created"}));
  EXPECT_EQ(log("?after=main~2"), Texts{"Repository created"});
}

TEST_F(LogTest, Filters) {
  put("main", "data/a", "1");
  put("main", "other", "1");
  put("main", "data/b", "1");
  EXPECT_EQ(log("?prefixes=data/"), (Texts{"data/b", "data/a"}));
  EXPECT_EQ(log("?objects=other&objects=data/b"), (Texts{"data/b", "other"}));
  EXPECT_EQ(log("?stop_at=main~1"), (Texts{"data/b", "other"}));
  EXPECT_EQ(log("?amount=1&prefixes=data/"), Texts{"data/b"});
  const Answer limited = in_repo("GET", "/refs/main/commits?amount=1&limit=true");
  EXPECT_EQ(limited.at("pagination.has_more"), "false");
  EXPECT_EQ(limited.at("pagination.next_offset"), "");
  const std::string since = to_rfc3339({.seconds = clock.now().seconds - 1, .nanos = 0});
  EXPECT_EQ(log("?since=" + since), (Texts{"data/b", "other"}));
}

TEST_F(LogTest, NamesTheReferenceItDoesNotKnow) {
  const auto message = [&](std::string_view path) {
    const Answer answer = in_repo("GET", path);
    EXPECT_EQ(answer.status, 404) << path;
    return answer.message();
  };
  EXPECT_EQ(message("/refs/nope/commits"), "ref: not found");
  EXPECT_EQ(message("/refs/main/commits?after=nope"), "from ref: not found");
  EXPECT_EQ(message("/refs/main/commits?stop_at=nope"), "stop_at: not found");
}

class DiffTest : public HistoryTest {};

TEST_F(DiffTest, OfABranchShowsWhatIsStaged) {
  put("main", "gone", "123");
  put("main", "changed", "1");
  put("main", "dir/same", "1");
  EXPECT_EQ(in_repo("DELETE", "/branches/main/objects?path=gone").status, 204);
  upload("main", "changed", "22");
  upload("main", "dir/new", "333");
  upload("main", "dir/same", "1");
  const Answer diff = in_repo("GET", "/branches/main/diff");
  EXPECT_EQ(diff.all("path"), (Texts{"changed", "dir/new", "gone"}));
  EXPECT_EQ(diff.all("type"), (Texts{"changed", "added", "removed"}));
  EXPECT_EQ(diff.all("size_bytes"), (Texts{"2", "3", "0"}));
  const Answer folded = in_repo("GET", "/branches/main/diff?delimiter=/&amount=2");
  EXPECT_EQ(folded.all("path"), (Texts{"changed", "dir/"}));
  EXPECT_EQ(folded.at("results.1.type"), "prefix_changed");
  EXPECT_EQ(folded.at("results.1.path_type"), "common_prefix");
  EXPECT_EQ(folded.at("results.1.size_bytes"), "(absent)");
  EXPECT_EQ(folded.at("pagination.next_offset"), "dir/");
  EXPECT_EQ(in_repo("GET", "/branches/main/diff?delimiter=/&after=dir/").all("path"),
            Texts{"gone"});
  EXPECT_EQ(in_repo("GET", "/branches/nope/diff").message(), "branch not found");
}

TEST_F(DiffTest, OfRefsComparesWithTheMergeBaseOrDirectly) {
  put("main", "base", "1");
  branch("dev", "main");
  put("main", "left", "1");
  put("dev", "right", "12");
  upload("dev", "staged", "x");
  EXPECT_EQ(in_repo("GET", "/refs/main/diff/dev").all("path"), Texts{"right"});
  const Answer direct = in_repo("GET", "/refs/main/diff/dev?type=two_dot");
  EXPECT_EQ(direct.all("path"), (Texts{"left", "right"}));
  EXPECT_EQ(direct.all("type"), (Texts{"removed", "added"}));
  EXPECT_EQ(direct.all("size_bytes"), (Texts{"1", "2"}));
  EXPECT_EQ(in_repo("GET", "/refs/main/diff/dev$?type=two_dot").all("path"),
            (Texts{"left", "right", "staged"}));
  const Answer described =
      in_repo("GET", "/refs/main/diff/dev?type=two_dot&include_right_stats=true");
  EXPECT_EQ(described.at("results.1.right.checksum"), "c20ad4d76fe97759aa27a0c99bff6710");
  EXPECT_EQ(described.at("results.1.right.content_type"), "application/octet-stream");
}

TEST_F(DiffTest, NamesTheReferenceItDoesNotKnow) {
  EXPECT_EQ(in_repo("GET", "/refs/nope/diff/main").message(),
            "get commit by branch nope: not found");
  EXPECT_EQ(in_repo("GET", "/refs/main/diff/nope").message(), "get commit by ref nope: not found");
  EXPECT_EQ(in_repo("GET", "/refs/main/diff/nope").status, 404);
  EXPECT_EQ(in_repo("GET", "/refs/main/diff/main?type=three").status, 400);
}

class MergeTest : public HistoryTest {
 public:
  MergeTest() {
    put("main", "file", "base");
    branch("dev", "main");
  }

  Answer merge(std::string_view body = {}) { return in_repo("POST", "/refs/dev/merge/main", body); }
};

TEST_F(MergeTest, NeedsNoBody) {
  const std::string source = put("dev", "new", "1");
  const std::string head = in_repo("GET", "/branches/main").at("commit_id");
  const Answer merged = merge();
  ASSERT_EQ(merged.status, 200) << merged.body;
  const Answer made = in_repo("GET", "/commits/" + merged.at("reference"));
  EXPECT_EQ(made.at("message"), "Merge 'dev' into 'main'");
  EXPECT_EQ(made.at("metadata"), "(1)");
  EXPECT_NE(made.body.find(R"(".lakefs.merge.strategy":"default")"), std::string::npos);
  EXPECT_EQ(made.at("parents.0"), head);
  EXPECT_EQ(made.at("parents.1"), source);
}

TEST_F(MergeTest, TakesMessageMetadataAndSquash) {
  put("dev", "new", "1");
  const Answer merged = merge(R"({"message":"mine","metadata":{"a":"b"},"squash_merge":true})");
  const Answer made = in_repo("GET", "/commits/" + merged.at("reference"));
  EXPECT_EQ(made.at("message"), "mine");
  EXPECT_EQ(made.at("metadata.a"), "b");
  EXPECT_EQ(made.at("parents"), "(1)");
}

TEST_F(MergeTest, AnswersAConflictWithAnEmptyReference) {
  put("main", "file", "left");
  put("dev", "file", "right");
  const Answer conflict = merge();
  EXPECT_EQ(conflict.status, 409);
  EXPECT_EQ(conflict.body, "{\"reference\":\"\"}\n");
  EXPECT_EQ(merge(R"({"strategy":"theirs"})").message(),
            "argument strategy: invalid value: validation error");
  const Answer won = merge(R"({"strategy":"source-wins"})");
  EXPECT_EQ(won.status, 200);
  EXPECT_EQ(get("/repositories/repo/refs/main/objects?path=file").body, "right");
}

TEST_F(MergeTest, IsRefusedWithTheReferencesTexts) {
  EXPECT_EQ(merge().message(), "update branch main: no changes");
  EXPECT_EQ(merge().status, 400);
  EXPECT_EQ(merge(R"({"allow_empty":true})").status, 200);
  const Answer unknown = in_repo("POST", "/refs/nope/merge/main");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(unknown.message(), "update branch main: get commit by ref nope: not found");
  put("dev", "new", "1");
  upload("main", "dirty", "1");
  const Answer dirty = merge();
  EXPECT_EQ(dirty.status, 400);
  EXPECT_EQ(dirty.message(), "uncommitted changes (dirty branch)");
  EXPECT_EQ(in_repo("POST", "/refs/dev/merge/nope").message(), "branch not found");
}

TEST_F(MergeTest, KnowsTheBase) {
  const std::string base = in_repo("GET", "/branches/main").at("commit_id");
  const std::string source = put("dev", "new", "1");
  const std::string destination = put("main", "other", "1");
  const Answer found = in_repo("GET", "/refs/dev/merge/main");
  EXPECT_EQ(found.at("base_commit_id"), base);
  EXPECT_EQ(found.at("source_commit_id"), source);
  EXPECT_EQ(found.at("destination_commit_id"), destination);
  EXPECT_EQ(in_repo("GET", "/refs/nope/merge/main").message(),
            "get commit by branch nope: not found");
}

class ReplayTest : public MergeTest {};

TEST_F(ReplayTest, RevertsACommit) {
  const std::string id = put("main", "extra", "1");
  EXPECT_EQ(in_repo("POST", "/branches/main/revert", R"({"ref":"main","parent_number":0})").status,
            204);
  EXPECT_EQ(get("/repositories/repo/refs/main/objects/stat?path=extra").status, 404);
  const Answer made = in_repo("GET", "/commits/main");
  EXPECT_EQ(made.at("message"), "Revert main");
  EXPECT_EQ(made.at("parents.0"), id);
  EXPECT_EQ(in_repo("POST", "/branches/main/revert",
                    R"({"ref":"main","parent_number":1,"commit_overrides":{"message":"back"}})")
                .status,
            204);
  EXPECT_EQ(in_repo("GET", "/commits/main").at("message"), "back");
}

struct ReplayCase {
  std::string_view path;
  std::string_view body;
  int status;
  std::string_view message;
};

TEST_F(ReplayTest, IsRefusedWithTheReferencesTexts) {
  put("dev", "new", "1");
  ASSERT_EQ(merge().status, 200);
  for (const auto& [path, body, status, message] : std::initializer_list<ReplayCase>{
           {"/branches/main/revert", R"({"ref":"main"})", 400, ""},
           {"/branches/main/revert", R"({"ref":"main","parent_number":0})", 409,
            "must specify 1-based parent number for reverting merge commit"},
           {"/branches/main/revert", R"({"ref":"main","parent_number":-1})", 400,
            "argument parentNumber: invalid value: validation error"},
           {"/branches/main/revert", R"({"ref":"main","parent_number":3})", 400,
            "given commit does not have the given parent number: parent 3"},
           {"/branches/main/revert", R"({"ref":"nope","parent_number":0})", 404,
            "get commit from ref nope: not found"},
           {"/branches/main/cherry-pick", R"({"ref":"main"})", 400,
            "must specify 1-based parent number for cherry-picking merge commit"},
           {"/branches/main/cherry-pick", R"({"ref":"main","parent_number":5})", 400,
            "parent 5: given commit does not have the given parent number"},
           {"/branches/main/cherry-pick", R"({"ref":"nope"})", 404,
            "get commit from ref nope: not found"}}) {
    const Answer answer = in_repo("POST", path, body);
    EXPECT_EQ(answer.status, status) << path << body << answer.body;
    if (!message.empty()) EXPECT_EQ(answer.message(), message) << path << body;
  }
}

TEST_F(ReplayTest, CherryPicks) {
  const std::string picked = put("dev", "new", "1");
  const Answer made = in_repo("POST", "/branches/main/cherry-pick", R"({"ref":"dev"})");
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.at("message"), "new");
  EXPECT_EQ(made.at("metadata.cherry-pick-origin"), picked);
  EXPECT_EQ(made.at("metadata.cherry-pick-committer"), "admin");
  put("main", "file", "left");
  put("dev", "file", "right");
  const Answer conflict = in_repo("POST", "/branches/main/cherry-pick", R"({"ref":"dev"})");
  EXPECT_EQ(conflict.status, 409);
  EXPECT_EQ(conflict.message(), "update branch: conflict found");
}

}  // namespace
}  // namespace tarn::rest
