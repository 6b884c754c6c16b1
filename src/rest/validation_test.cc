// What is refused before a handler runs, with the texts of "Silences filled".
#include <gtest/gtest.h>

#include "base/format.h"
#include "rest/testing/server_fixture.h"

namespace tarn::rest {
namespace {

using testing::Answer;
using testing::RepositoryTest;

class ValidationTest : public RepositoryTest {
 public:
  Answer post(std::string_view content_type, std::string_view body, bool chunked = false) {
    return ask({.method = "POST",
                .target = "/api/v1/repositories/repo/branches",
                .headers = {{"Content-Type", std::string(content_type)}},
                .body = std::string(body),
                .chunked = chunked});
  }
};

struct BodyCase {
  std::string_view content_type;
  std::string_view body;
  int status;
  std::string_view message;
};

TEST_F(ValidationTest, ReadsBodiesAsTheReferenceDoes) {
  for (
      const auto& [content_type, body, status, message] : std::initializer_list<BodyCase>{
          {"application/json", "", 400, "request body has an error: value is required but missing"},
          {"text/plain", R"({"name":"a"})", 400,
           R"(request body has an error: header Content-Type has unexpected value "text/plain")"},
          {"Application/JSON", R"({"name":"a"})", 400,
           R"(request body has an error: header Content-Type has unexpected value "Application/JSON")"},
          {"application/json", R"({"name":)", 400,
           "request body has an error: failed to decode request body: unexpected EOF"},
          {"application/json", R"({"source":"main"})", 400,
           "request body has an error: doesn't match schema #/components/schemas/BranchCreation: "
           "Error at \"/name\": property \"name\" is missing"},
          {"application/json", R"({"name":"a","source":"main","force":null})", 400,
           "request body has an error: doesn't match schema #/components/schemas/BranchCreation: "
           "Error at \"/force\": Value is not nullable"},
          {"application/json; charset=utf-8", R"({"name":"b1","source":"main"} trailing)", 201, ""},
          {"application/json", R"({"name":"x","name":"b2","source":"main","unknown":1})", 201,
           ""}}) {
    for (const bool chunked : {false, true}) {
      const Answer answer = post(content_type, body, chunked);
      if (status == 201 && chunked) continue;  // made already
      EXPECT_EQ(answer.status, status) << body;
      if (status != 201) EXPECT_EQ(answer.message(), message) << body;
    }
  }
  EXPECT_EQ(get("/repositories/repo/branches/b2").status, 200);
}

TEST_F(ValidationTest, ComesBeforeAuthentication) {
  const Answer body = ask_as_stranger({.method = "POST",
                                       .target = "/api/v1/repositories/repo/branches",
                                       .headers = {{"Content-Type", "application/json"}},
                                       .body = "{}"});
  EXPECT_EQ(body.status, 400);
  EXPECT_FALSE(body.has_header("X-Request-Id"));
  EXPECT_EQ(ask_as_stranger({.target = "/api/v1/repositories?amount=1001"}).status, 400);
}

TEST_F(ValidationTest, DoesNotReadLargeBodiesOfStrangers) {
  const std::string large = R"({"message":")" + std::string(100'000, 'x') + R"("})";
  const testing::RequestSpec spec{.method = "POST",
                                  .target = "/api/v1/repositories/repo/branches/main/commits",
                                  .headers = {{"Content-Type", "application/json"}},
                                  .body = large};
  const Answer stranger = ask_as_stranger(spec);
  EXPECT_EQ(stranger.status, 401);
  EXPECT_FALSE(stranger.read_body);
  EXPECT_EQ(ask(spec).message(), "commit: no changes");
}

TEST_F(ValidationTest, BoundsBodies) {
  const Answer answer = send("POST", "/repositories/repo/branches/main/commits",
                             R"({"message":")" + std::string(17'000'000, 'x') + R"("})");
  EXPECT_EQ(answer.status, 413);
}

TEST_F(ValidationTest, AcceptsAMessageOfThreeMegabytes) {
  upload("main", "a", "1");
  EXPECT_EQ(send("POST", "/repositories/repo/branches/main/commits",
                 R"({"message":")" + std::string(3'000'000, 'x') + R"("})")
                .status,
            201);
}

TEST_F(ValidationTest, IgnoresAContentTypeWhereNoBodyIsDeclared) {
  EXPECT_EQ(
      ask({.target = "/api/v1/repositories", .headers = {{"Content-Type", "application/json"}}})
          .status,
      200);
}

TEST_F(ValidationTest, RefusesWithoutReadingWhenTheTypeIsWrong) {
  const Answer answer = post("text/csv", "a,b");
  EXPECT_EQ(answer.status, 400);
  EXPECT_FALSE(answer.read_body);
}

struct AmountCase {
  std::string_view amount;
  int status;
  std::size_t results;
  std::string_view has_more;
};

TEST_F(ValidationTest, PagesByAmount) {
  for (int i = 0; i < 104; ++i) {
    ASSERT_EQ(
        send("POST", "/repositories/repo/tags", format(R"({{"id":"t{:03}","ref":"main"}})", i))
            .status,
        201);
  }
  for (const auto& [amount, status, results, has_more] :
       std::initializer_list<AmountCase>{{"-1", 200, 100, "true"},
                                         {"0", 200, 100, "true"},
                                         {"1", 200, 1, "true"},
                                         {"103", 200, 103, "true"},
                                         {"104", 200, 104, "false"},
                                         {"1000", 200, 104, "false"}}) {
    const Answer page = get(format("/repositories/repo/tags?amount={}", amount));
    EXPECT_EQ(page.status, status) << amount;
    EXPECT_EQ(page.count(), results) << amount;
    EXPECT_EQ(page.at("pagination.results"), std::to_string(results)) << amount;
    EXPECT_EQ(page.at("pagination.has_more"), has_more) << amount;
    EXPECT_EQ(page.at("pagination.max_per_page"), "1000") << amount;
    const std::string last = has_more == "true" ? page.all("id").back() : "";
    EXPECT_EQ(page.at("pagination.next_offset"), last) << amount;
  }
  EXPECT_EQ(get("/repositories/repo/tags?amount=1001").status, 400);
  EXPECT_EQ(get("/repositories/repo/tags?amount=-2").status, 400);
  EXPECT_EQ(get("/repositories/repo/tags?after=t101&amount=2").all("id"),
            (std::vector<std::string>{"t102", "t103"}));
  EXPECT_EQ(get("/repositories/repo/tags?after=t0505&prefix=t05&amount=2").all("id"),
            (std::vector<std::string>{"t051", "t052"}));
}

TEST_F(ValidationTest, DecodesEachPathSegmentOnce) {
  EXPECT_EQ(send("POST", "/repositories/repo/tags", R"({"id":"a+b~%","ref":"main"})").status, 201);
  EXPECT_EQ(get("/repositories/repo/tags/a+b~%25").at("id"), "a+b~%");
  const Answer slash = get("/repositories/repo/tags/a%2Fb");
  EXPECT_EQ(slash.status, 400);
  EXPECT_EQ(slash.message(), "argument tagID: tag id: invalid value: validation error");
}

}  // namespace
}  // namespace tarn::rest
