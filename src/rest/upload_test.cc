#include <gtest/gtest.h>

#include "base/format.h"
#include "rest/testing/server_fixture.h"

namespace tarn::rest {
namespace {

using testing::Answer;
using testing::RepositoryTest;

class UploadTest : public RepositoryTest {
 public:
  Answer post(std::string_view query, testing::RequestSpec spec) {
    spec.method = "POST";
    spec.target = format("/api/v1/repositories/repo/branches/main/objects?{}", query);
    return ask(std::move(spec));
  }

  std::string content(std::string_view path) {
    return get(format("/repositories/repo/refs/main/objects?path={}", path)).body;
  }
};

TEST_F(UploadTest, StoresTheRawBody) {
  const Answer made = upload("main", "a b+c", "hello",
                             {{"Content-Type", "text/plain; charset=utf-8"},
                              {"X-LAKEFS-META-Key", "Värt"},
                              {"x-lakefs-meta-key", "second"},
                              {"x-lakefs-internal-client-mtime", "5"}});
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.header("Content-Type"), "application/json");
  EXPECT_EQ(made.at("path"), "a b+c");
  EXPECT_EQ(made.at("path_type"), "object");
  EXPECT_EQ(made.at("checksum"), "5d41402abc4b2a76b9719d911017c592");
  EXPECT_EQ(made.at("size_bytes"), "5");
  EXPECT_EQ(made.at("content_type"), "text/plain; charset=utf-8");
  EXPECT_EQ(made.at("mtime"), std::to_string(clock.now().seconds));
  EXPECT_EQ(made.at("metadata.key"), "Värt");
  EXPECT_EQ(made.at("metadata.::lakefs::client-mtime"), "5");
  EXPECT_EQ(content("a%20b%2Bc"), "hello");
}

TEST_F(UploadTest, TakesChunkedAndEmptyBodies) {
  const Answer chunked = post(
      "path=chunked", {.body = std::string(100'000, 'x'), .chunked = true, .piece_bytes = 999});
  EXPECT_EQ(chunked.at("size_bytes"), "100000");
  EXPECT_EQ(chunked.at("content_type"), "application/octet-stream");
  EXPECT_EQ(chunked.at("metadata"), "(0)");
  EXPECT_EQ(post("path=empty", {}).at("checksum"), "d41d8cd98f00b204e9800998ecf8427e");
}

TEST_F(UploadTest, StoresAFormsPart) {
  const std::string form =
      "--B\r\nContent-Disposition: form-data; name=\"other\"\r\n\r\nnot this\r\n"
      "--B\r\nContent-Disposition: form-data; name=\"content\"; filename=\"f\"\r\n"
      "Content-Type: text/csv\r\n\r\na,b\r\n1,2\r\n--B--\r\n";
  const Answer made =
      post("path=form", {.headers = {{"Content-Type", "multipart/form-data; boundary=B"}},
                         .body = form,
                         .piece_bytes = 7});
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.at("content_type"), "text/csv");
  EXPECT_EQ(content("form"), "a,b\r\n1,2");
}

struct FormCase {
  std::string_view content_type;
  std::string_view body;
  std::string_view message;
};

TEST_F(UploadTest, RefusesFormsItCannotRead) {
  constexpr std::string_view kType = "multipart/form-data; boundary=B";
  for (const auto& [content_type, body, message] : std::initializer_list<FormCase>{
           {"multipart/form-data", "x", "no multipart boundary param in Content-Type"},
           {kType, "--B\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\ny\r\n--B--\r\n",
            "multipart upload missing key 'content': http: no such file"},
           {kType, "--B\r\nContent-Disposition: form-data; name=\"content\"\r\n\r\nhalf",
            "unexpected EOF\nfailed to write to storage"}}) {
    const Answer answer =
        post("path=form",
             {.headers = {{"Content-Type", std::string(content_type)}}, .body = std::string(body)});
    EXPECT_EQ(answer.status, 400) << body;
    EXPECT_EQ(answer.message(), message);
  }
  EXPECT_EQ(get("/repositories/repo/refs/main/objects/ls").count(), 0U);
}

struct ConditionCase {
  std::string_view path;
  std::vector<std::pair<std::string, std::string>> headers;
  int status;
  std::string_view message;
};

TEST_F(UploadTest, HonoursIfNoneMatchBeforeReadingTheBody) {
  upload("main", "there", "old");
  const std::vector<ConditionCase> cases = {
      {"there", {{"If-None-Match", "*"}}, 412, "path already exists"},
      {"there", {{"If-None-Match", "*"}, {"If-Match", "x"}}, 412, "path already exists"},
      {"free", {{"If-None-Match", "*"}, {"If-Match", "x"}}, 501, "Not Implemented"},
      {"free", {{"If-None-Match", "\"abc\""}}, 501, "Not Implemented"},
      {"free", {{"If-Match", "*"}}, 501, "Not Implemented"}};
  for (const auto& [path, headers, status, message] : cases) {
    const Answer answer = upload("main", path, "new", headers);
    EXPECT_EQ(answer.status, status) << path;
    EXPECT_EQ(answer.message(), message) << path;
    EXPECT_FALSE(answer.read_body) << path;
  }
  EXPECT_EQ(upload("main", "free", "new", {{"If-None-Match", "*"}}).status, 201);
  EXPECT_EQ(content("there"), "old");
}

TEST_F(UploadTest, IsRefusedBeforeItsBodyIsRead) {
  const auto refuse = [&](const Answer& answer, int status, std::string_view message) {
    EXPECT_EQ(answer.status, status) << message;
    EXPECT_EQ(answer.message(), message);
    EXPECT_FALSE(answer.read_body) << message;
  };
  refuse(upload("nope", "a", "x"), 404, "branch 'nope' not found");
  refuse(upload("a.b", "a", "x"), 400, "argument name: branch id: invalid value: validation error");
  refuse(upload("main", std::string(1'025, 'x'), "x"), 400,
         "argument path: invalid value: validation error: 1025 is above maximum length (1024)");
  refuse(upload("main", "a", "x", {{"x-lakefs-meta-k", "\xff"}}), 400,
         "header x-lakefs-meta-k is not valid UTF-8");
  refuse(ask_as_stranger({.method = "POST",
                          .target = "/api/v1/repositories/repo/branches/main/objects?path=a",
                          .body = "x"}),
         401, "error authenticating request");
  const Answer form =
      upload("nope", "a", "--B", {{"Content-Type", "multipart/form-data; boundary=B"}});
  refuse(form, 404, "branch 'nope' not found");
}

TEST_F(UploadTest, KeepsKeysWithAndWithoutSlashApart) {
  upload("main", "k", "1");
  upload("main", "k/", "22");
  EXPECT_EQ(content("k"), "1");
  EXPECT_EQ(content("k/"), "22");
  EXPECT_EQ(get("/repositories/repo/refs/main/objects/ls").count(), 2U);
}

TEST_F(UploadTest, ReplacesWithAFreshAddress) {
  const std::string first = upload("main", "a", "1").at("physical_address");
  EXPECT_NE(upload("main", "a", "2").at("physical_address"), first);
  EXPECT_EQ(content("a"), "2");
}

}  // namespace
}  // namespace tarn::rest
