// Reading, copying, deleting and staging objects.
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/format.h"
#include "rest/testing/server_fixture.h"

namespace tarn::rest {
namespace {

using testing::Answer;
using testing::RepositoryTest;

using Headers = std::vector<std::pair<std::string, std::string>>;

class ObjectsTest : public RepositoryTest {
 public:
  static constexpr const char* kMd5 = "5d41402abc4b2a76b9719d911017c592";  // of "hello"

  ObjectsTest() {
    upload("main", "d/a.txt", "hello",
           {{"Content-Type", "text/plain"}, {"X-Lakefs-Meta-Foo", "Bar"}});
  }

  Answer read(std::string_view path, Headers headers = {}, std::string method = "GET") {
    return ask({.method = std::move(method),
                .target = format("/api/v1/repositories/repo/refs/main/objects?path={}", path),
                .headers = std::move(headers)});
  }
};

TEST_F(ObjectsTest, AreSentWithSafeHeaders) {
  const Answer object = read("d/a.txt");
  EXPECT_EQ(object.status, 200);
  EXPECT_EQ(object.body, "hello");
  EXPECT_EQ(object.header("ETag"), format("\"{}\"", kMd5));
  EXPECT_EQ(object.header("Content-Type"), "text/plain");
  EXPECT_EQ(object.header("Content-Disposition"), "inline");
  EXPECT_EQ(object.header("Cache-Control"), "no-store, must-revalidate");
  EXPECT_EQ(object.header("Expires"), "0");
  EXPECT_EQ(object.header("Content-Security-Policy"), "default-src 'none'");
  EXPECT_EQ(object.header("X-Frame-Options"), "SAMEORIGIN");
  EXPECT_EQ(object.header("X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(object.header("Last-Modified"), to_http_date(clock.now()));
  EXPECT_FALSE(object.has_header("Accept-Ranges"));
  upload("main", "b.html", "x", {{"Content-Type", "text/html; charset=utf-8"}});
  EXPECT_EQ(read("b.html").header("Content-Disposition"), "attachment");
}

struct RangeCase {
  std::string_view range;
  int status;
  std::string_view content_range;
  std::string_view body;
};

TEST_F(ObjectsTest, AreSentInRanges) {
  constexpr std::string_view kRefusal = "{\"message\":\"Requested Range Not Satisfiable\"}\n";
  for (const auto& [range, status, content_range, body] :
       std::initializer_list<RangeCase>{{"bytes=1-2", 206, "bytes 1-2/5", "el"},
                                        {"bytes=3-", 206, "bytes 3-4/5", "lo"},
                                        {"bytes=-2", 206, "bytes 3-4/5", "lo"},
                                        {"bytes=0-99", 206, "bytes 0-4/5", "hello"},
                                        {"bytes=5-", 416, "bytes */5", kRefusal},
                                        {"bytes=2-1", 416, "", kRefusal},
                                        {"bytes=0-1,3-4", 416, "", kRefusal}}) {
    const Answer answer = read("d/a.txt", {{"Range", std::string(range)}});
    EXPECT_EQ(answer.status, status) << range;
    EXPECT_EQ(answer.header("Content-Range"), content_range) << range;
    EXPECT_EQ(answer.body, body) << range;
    EXPECT_TRUE(answer.has_header("ETag")) << range;
  }
  EXPECT_EQ(read("d/a.txt", {{"Range", "items=0-1"}}).status, 400);
  upload("main", "empty", "");
  EXPECT_EQ(read("empty", {{"Range", "bytes=0-1"}}).header("Content-Range"), "bytes */0");
  EXPECT_EQ(read("empty").status, 200);
}

TEST_F(ObjectsTest, AreNotSentWhenUnchanged) {
  const Answer same =
      read("d/a.txt", {{"If-None-Match", format("\"{}\"", kMd5)}, {"Range", "bytes=1-2"}});
  EXPECT_EQ(same.status, 304);
  EXPECT_EQ(same.body, "");
  EXPECT_FALSE(same.has_header("ETag"));
  EXPECT_EQ(read("d/a.txt", {{"If-None-Match", kMd5}}).status, 200);
  EXPECT_EQ(read("d/a.txt", {{"If-None-Match", "*"}}).status, 200);
}

TEST_F(ObjectsTest, AnswerHead) {
  const Answer head = read("d/a.txt", {}, "HEAD");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.announced_length, 5U);
  EXPECT_EQ(head.header("Accept-Ranges"), "bytes");
  EXPECT_EQ(head.header("ETag"), format("\"{}\"", kMd5));
  EXPECT_FALSE(head.has_header("Content-Disposition"));
  const Answer part = read("d/a.txt", {{"Range", "bytes=1-2"}}, "HEAD");
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.announced_length, 2U);
  EXPECT_EQ(part.header("Content-Range"), "bytes 1-2/5");
  const Answer beyond = read("d/a.txt", {{"Range", "bytes=9-"}}, "HEAD");
  EXPECT_EQ(beyond.status, 416);
  EXPECT_FALSE(beyond.has_header("Content-Range"));
  const Answer missing = read("nope", {}, "HEAD");
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(missing.body, "");
}

TEST_F(ObjectsTest, AreDescribed) {
  const Answer stat = get("/repositories/repo/refs/main/objects/stat?path=d/a.txt");
  EXPECT_EQ(stat.status, 200);
  EXPECT_EQ(stat.at("path"), "d/a.txt");
  EXPECT_EQ(stat.at("path_type"), "object");
  EXPECT_EQ(stat.at("checksum"), kMd5);
  EXPECT_EQ(stat.at("size_bytes"), "5");
  EXPECT_EQ(stat.at("content_type"), "text/plain");
  EXPECT_EQ(stat.at("metadata.foo"), "Bar");
  EXPECT_TRUE(stat.at("physical_address").starts_with("mem://repo/data/"));
  EXPECT_EQ(get("/repositories/repo/refs/main/objects/stat?path=d/a.txt&user_metadata=false")
                .at("metadata"),
            "(0)");
  EXPECT_EQ(get("/repositories/repo/refs/main/objects/underlyingProperties?path=d/a.txt").body,
            "{\"storage_class\":null}\n");
}

TEST_F(ObjectsTest, AreNotFoundWithTheReferencesTexts) {
  for (const char* path :
       {"/refs/main/objects/stat?path=x", "/refs/main/objects?path=x", "/refs/main/objects?path=d/",
        "/refs/nope/objects/stat?path=x", "/refs/nope/objects/ls",
        "/refs/main/objects/underlyingProperties?path=x"}) {
    const Answer answer = get(std::string("/repositories/repo").append(path));
    EXPECT_EQ(answer.status, 404) << path;
    EXPECT_EQ(answer.message(), "not found") << path;
  }
  const Answer repository = get("/repositories/nope/refs/main/objects/stat?path=x");
  EXPECT_EQ(repository.message(), "repository not found");
  const Answer path =
      get("/repositories/repo/refs/main/objects/stat?path=" + std::string(1'025, 'x'));
  EXPECT_EQ(path.status, 400);
  EXPECT_EQ(path.message(),
            "argument path: invalid value: validation error: 1025 is above maximum length (1024)");
}

TEST_F(ObjectsTest, AreNotPresigned) {
  for (const char* path : {"/refs/main/objects?path=d/a.txt&presign=true",
                           "/refs/main/objects/stat?path=d/a.txt&presign=true",
                           "/refs/main/objects/ls?presign=true"}) {
    const Answer answer = get(std::string("/repositories/repo").append(path));
    EXPECT_EQ(answer.status, 400) << path;
    EXPECT_EQ(answer.message(), "get pre signed url: operation not supported") << path;
  }
  const Answer address =
      get("/repositories/repo/branches/main/staging/backing?path=x&presign=true");
  EXPECT_EQ(address.status, 400);
  EXPECT_EQ(address.message(), "get pre signed url: operation not supported");
  // A page without objects has nothing to sign.
  EXPECT_EQ(get("/repositories/repo/refs/main/objects/ls?presign=true&prefix=none").status, 200);
}

TEST_F(ObjectsTest, SayWhenTheirDataIsGone) {
  const Answer staged = send(
      "PUT", "/repositories/repo/branches/main/objects?path=lost",
      R"({"physical_address":"mem://repo/data/none","checksum":"abc","size_bytes":3,"mtime":7})");
  ASSERT_EQ(staged.status, 201) << staged.body;
  const Answer lost = read("lost");
  EXPECT_EQ(lost.status, 410);
  EXPECT_EQ(lost.message(), "No data");
  EXPECT_EQ(lost.header("ETag"), "\"abc\"");
  EXPECT_EQ(read("lost", {}, "HEAD").status, 200);
}

class ListTest : public ObjectsTest {
 public:
  ListTest() {
    for (const char* path : {"b", "d/c", "e/f/g", "z"})
      upload("main", path, "1");
  }

  Answer list(std::string_view query) {
    return get(std::string("/repositories/repo/refs/main/objects/ls").append(query));
  }
};

TEST_F(ListTest, FoldsAtTheDelimiter) {
  const Answer page = list("?delimiter=/");
  EXPECT_EQ(page.all("path"), (std::vector<std::string>{"b", "d/", "e/", "z"}));
  EXPECT_EQ(page.at("results.1.path_type"), "common_prefix");
  EXPECT_EQ(page.at("results.1.physical_address"), "");
  EXPECT_EQ(page.at("results.1.checksum"), "");
  EXPECT_EQ(page.at("results.1.mtime"), "0");
  EXPECT_EQ(page.at("results.1.size_bytes"), "(absent)");
  EXPECT_EQ(list("?delimiter=/&prefix=d/").all("path"),
            (std::vector<std::string>{"d/a.txt", "d/c"}));
  EXPECT_EQ(list("?delimiter=/&after=d/").all("path"), (std::vector<std::string>{"e/", "z"}));
  EXPECT_EQ(list("?delimiter=/&after=d/b").all("path"),
            (std::vector<std::string>{"d/", "e/", "z"}));
}

TEST_F(ListTest, PagesFlatAndFolded) {
  const Answer page = list("?delimiter=/&amount=2");
  EXPECT_EQ(page.all("path"), (std::vector<std::string>{"b", "d/"}));
  EXPECT_EQ(page.at("pagination.has_more"), "true");
  EXPECT_EQ(page.at("pagination.next_offset"), "d/");
  EXPECT_EQ(list("?prefix=&after=d/c&amount=2").all("path"),
            (std::vector<std::string>{"e/f/g", "z"}));
  EXPECT_EQ(list("?prefix=nothing").body,
            "{\"pagination\":{\"has_more\":false,\"max_per_page\":1000,\"next_offset\":\"\","
            "\"results\":0},\"results\":[]}\n");
}

TEST_F(ListTest, ShowsMetadataOnlyWhereThereIsSome) {
  EXPECT_EQ(list("?prefix=d/").all("metadata"), (std::vector<std::string>{"(1)", "(absent)"}));
  EXPECT_EQ(list("?prefix=d/&user_metadata=false").all("metadata"),
            (std::vector<std::string>{"(absent)", "(absent)"}));
}

class DeleteTest : public ListTest {};

TEST_F(DeleteTest, IsIdempotent) {
  for (int i = 0; i < 2; ++i) {
    const Answer answer = send("DELETE", "/repositories/repo/branches/main/objects?path=b");
    EXPECT_EQ(answer.status, 204);
    EXPECT_EQ(answer.body, "");
  }
  EXPECT_EQ(read("b").status, 404);
  EXPECT_EQ(send("DELETE", "/repositories/repo/branches/nope/objects?path=b").status, 404);
}

TEST_F(DeleteTest, InBulkAnswersPerPath) {
  const std::string long_path(1'025, 'x');
  const Answer answer = send("POST", "/repositories/repo/branches/main/objects/delete",
                             R"({"paths":["b","","missing","z",")" + long_path + R"("]})");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.count("errors"), 1U) << answer.body;
  EXPECT_EQ(answer.at("errors.0.path"), long_path);
  EXPECT_EQ(answer.at("errors.0.status_code"), "400");
  EXPECT_EQ(answer.at("errors.0.message"),
            "argument path[4]: invalid value: validation error: 1025 is above maximum length "
            "(1024)");
  EXPECT_EQ(get("/repositories/repo/refs/main/objects/ls?delimiter=/").all("path"),
            (std::vector<std::string>{"d/", "e/"}));
  EXPECT_EQ(send("POST", "/repositories/repo/branches/main/objects/delete", R"({"paths":[]})").body,
            "{\"errors\":[]}\n");
}

TEST_F(DeleteTest, InBulkIsBounded) {
  std::string paths;
  for (int i = 0; i < 1'001; ++i)
    append_format(paths, "{}\"p{}\"", i == 0 ? "" : ",", i);
  const Answer answer = send("POST", "/repositories/repo/branches/main/objects/delete",
                             format(R"({{"paths":[{}]}})", paths));
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.message(), "request size exceeded, max paths is set to 1000");
  EXPECT_EQ(
      send("POST", "/repositories/repo/branches/nope/objects/delete", R"({"paths":["a"]})").status,
      404);
}

class CopyTest : public ObjectsTest {
 public:
  Answer copy(std::string_view destination, std::string_view body) {
    return send("POST",
                format("/repositories/repo/branches/main/objects/copy?dest_path={}", destination),
                body);
  }
};

TEST_F(CopyTest, MakesItsOwnObject) {
  clock.advance(std::chrono::seconds(10));
  const Answer copied = copy("e", R"({"src_path":"d/a.txt"})");
  ASSERT_EQ(copied.status, 201) << copied.body;
  EXPECT_EQ(copied.at("path"), "e");
  EXPECT_EQ(copied.at("checksum"), kMd5);
  EXPECT_EQ(copied.at("metadata.foo"), "Bar");
  EXPECT_EQ(copied.at("mtime"), std::to_string(clock.now().seconds));
  EXPECT_NE(copied.at("physical_address"),
            get("/repositories/repo/refs/main/objects/stat?path=d/a.txt").at("physical_address"));
  EXPECT_EQ(read("e").body, "hello");
}

TEST_F(CopyTest, IsRefused) {
  EXPECT_EQ(copy("e", R"({"src_path":"nope"})").status, 404);
  EXPECT_EQ(copy("e", R"({"src_path":"d/a.txt","src_ref":"nope"})").status, 404);
  EXPECT_EQ(copy("e", R"({"src_path":"d/a.txt","shallow":true})").status, 501);
  const Answer branch = send("POST", "/repositories/repo/branches/nope/objects/copy?dest_path=e",
                             R"({"src_path":"d/a.txt","src_ref":"main"})");
  EXPECT_EQ(branch.status, 404);
  EXPECT_EQ(branch.message(), "branch 'nope' not found");
}

TEST_F(ObjectsTest, TakeNewMetadata) {
  constexpr const char* kPath =
      "/repositories/repo/branches/main/objects/stat/user_metadata?path=d/a.txt";
  commit("main", "one");
  clock.advance(std::chrono::seconds(10));
  const Answer before = get("/repositories/repo/refs/main/objects/stat?path=d/a.txt");
  const Answer set = send("PUT", kPath, R"({"set":{"new":"x"}})");
  EXPECT_EQ(set.status, 204);
  EXPECT_EQ(set.body, "");
  const Answer after = get("/repositories/repo/refs/main/objects/stat?path=d/a.txt");
  EXPECT_EQ(after.at("metadata.new"), "x");
  EXPECT_EQ(after.at("metadata.foo"), "(absent)");
  EXPECT_EQ(after.at("mtime"), before.at("mtime"));
  EXPECT_EQ(after.at("physical_address"), before.at("physical_address"));
  const Answer missing = send(
      "PUT", "/repositories/repo/branches/main/objects/stat/user_metadata?path=x", R"({"set":{}})");
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(missing.message(), "update user metadata on repo/main/x: not found");
}

class StagingTest : public ObjectsTest {
 public:
  Answer address(std::string_view path) {
    return get(format("/repositories/repo/branches/main/staging/backing?path={}", path));
  }

  Answer link(std::string_view path, std::string_view physical_address, Headers headers = {},
              std::string_view checksum = "\\\"abc\\\"") {
    headers.emplace_back("Content-Type", "application/json");
    return ask(
        {.method = "PUT",
         .target = format("/api/v1/repositories/repo/branches/main/staging/backing?path={}", path),
         .headers = std::move(headers),
         .body = format(R"({{"staging":{{"physical_address":"{}"}},"checksum":"{}",)"
                        R"("size_bytes":7,"user_metadata":{{"k":"v"}},"mtime":5}})",
                        physical_address, checksum)});
  }
};

TEST_F(StagingTest, LinksTheAddressItHandedOut) {
  const Answer issued = address("new");
  ASSERT_EQ(issued.status, 200);
  EXPECT_EQ(issued.at("presigned_url"), "(null)");
  const std::string where = issued.at("physical_address");
  const Answer linked = link("new", where);
  ASSERT_EQ(linked.status, 200) << linked.body;
  EXPECT_EQ(linked.at("physical_address"), where);
  EXPECT_EQ(linked.at("checksum"), "abc");
  EXPECT_EQ(linked.at("metadata.k"), "v");
  EXPECT_EQ(linked.at("mtime"), "5");
  EXPECT_EQ(get("/repositories/repo/refs/main/objects/stat?path=new").at("size_bytes"), "7");
}

TEST_F(StagingTest, RefusesAddressesItDidNotHandOut) {
  const std::string where = address("new").at("physical_address");
  const Answer other = link("other", where);
  EXPECT_EQ(other.status, 400);
  EXPECT_EQ(other.message(), "invalid address signature: invalid address");
  const Answer unsigned_one = link("new", where.substr(0, where.find(',')));
  EXPECT_EQ(unsigned_one.status, 400);
  EXPECT_EQ(unsigned_one.message(), "address is not signed: link address invalid");
  EXPECT_EQ(link("new", where, {}, "").message(), "checksum is required");
  EXPECT_EQ(link("new", "").message(), "physical_address is required");
  clock.advance(std::chrono::hours(25));
  EXPECT_EQ(link("new", where).message(), "link address expired");
}

TEST_F(StagingTest, HonoursIfNoneMatch) {
  const std::string where = address("d/a.txt").at("physical_address");
  EXPECT_EQ(link("d/a.txt", where, {{"If-None-Match", "*"}}).status, 412);
  EXPECT_EQ(link("d/a.txt", where, {{"If-None-Match", "\"x\""}}).status, 501);
  EXPECT_EQ(link("d/a.txt", where, {{"If-Match", "*"}}).status, 501);
}

TEST_F(StagingTest, ConfirmsPermissionToWrite) {
  EXPECT_EQ(get("/repositories/repo/branches/main/objects/stage_allowed?path=x").status, 204);
  EXPECT_EQ(ask_as_stranger(
                {.target = "/api/v1/repositories/repo/branches/main/objects/stage_allowed?path=x"})
                .status,
            401);
}

TEST_F(StagingTest, StagesForeignAddressesOfItsStoreOnly) {
  const auto stage = [&](std::string_view address_text) {
    return send(
        "PUT", "/repositories/repo/branches/main/objects?path=s",
        format(R"({{"physical_address":"{}","checksum":"c","size_bytes":1}})", address_text));
  };
  const Answer staged = stage("mem://elsewhere/x");
  EXPECT_EQ(staged.status, 201) << staged.body;
  EXPECT_EQ(staged.at("metadata"), "(absent)");
  EXPECT_EQ(stage("s3://b/x").message(), "physical address is not valid for block adapter: mem");
  EXPECT_EQ(stage("no-scheme").status, 400);
}

}  // namespace
}  // namespace tarn::rest
