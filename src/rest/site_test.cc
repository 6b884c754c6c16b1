// Health, configuration, and what is served outside /api/v1.
#include <gtest/gtest.h>

#include "rest/testing/server_fixture.h"

namespace tarn::rest {
namespace {

using testing::Answer;
using testing::ServerTest;

class SiteTest : public ServerTest {
 public:
  Answer open(std::string method, std::string target) {
    return ask_as_stranger({.method = std::move(method), .target = std::move(target)});
  }
};

TEST_F(SiteTest, AnswersProbes) {
  EXPECT_EQ(open("GET", "/api/v1/healthcheck").status, 204);
  EXPECT_EQ(open("GET", "/api/v1/healthcheck").body, "");
  for (const char* method : {"GET", "POST", "DELETE"}) {
    const Answer health = open(method, "/_health");
    EXPECT_EQ(health.status, 200);
    EXPECT_EQ(health.body, "alive! " + authority.installation_id());
    EXPECT_FALSE(health.has_header("X-Request-Id"));
  }
}

TEST_F(SiteTest, ServesMetricsAndTheContract) {
  EXPECT_NE(open("GET", "/metrics").body.find("tarn_rest_request_seconds"), std::string::npos);
  const Answer contract = open("GET", "/openapi.json");
  EXPECT_EQ(contract.header("Content-Type"), "application/json");
  EXPECT_EQ(contract.at("info.title"), "lakeFS API");
}

TEST_F(SiteTest, ShowsAPageElsewhere) {
  for (const char* path : {"/", "/repositories", "/api/v2/user", "/apix"}) {
    const Answer page = open("GET", path);
    EXPECT_EQ(page.status, 200) << path;
    EXPECT_TRUE(page.header("Content-Type").starts_with("text/html")) << path;
    EXPECT_TRUE(page.body.starts_with("<!DOCTYPE html>")) << path;
  }
}

TEST_F(SiteTest, LogsOut) {
  const Answer answer = open("POST", "/logout");
  EXPECT_EQ(answer.status, 307);
  EXPECT_EQ(answer.header("Location"), "/auth/login");
  EXPECT_NE(answer.header("Set-Cookie").find("internal_auth_session=;"), std::string::npos);
  EXPECT_NE(answer.header("Set-Cookie").find("Max-Age=0"), std::string::npos);
}

TEST_F(SiteTest, SaysThatTablesAreNotServed) {
  EXPECT_EQ(open("GET", "/iceberg/api/v1/config").status, 501);
}

TEST_F(SiteTest, KnowsOnlyTheContractsPathsAndMethods) {
  for (const auto& [method, path] : std::initializer_list<std::pair<const char*, const char*>>{
           {"GET", "/api/v1/nope"},
           {"GET", "/api/v1"},
           {"GET", "/api/v1/"},
           {"GET", "/api/v1/repositories/"},
           {"GET", "/api/v1//repositories"},
           {"GET", "/api/v1/Repositories"},
           {"PATCH", "/api/v1/repositories"},
           {"OPTIONS", "/api/v1/repositories"},
           {"TRACE", "/api/v1/user"}}) {
    const Answer answer = open(method, path);
    EXPECT_EQ(answer.status, 404) << method << " " << path;
    EXPECT_EQ(answer.body, "{\"message\":\"invalid API endpoint\"}\n") << method << " " << path;
    EXPECT_FALSE(answer.has_header("X-Request-Id"));
  }
  EXPECT_EQ(open("HEAD", "/api/v1/user").status, 404);
  EXPECT_EQ(open("BREW", "/api/v1/user").status, 405);
  EXPECT_EQ(open("BREW", "/api/v1/user").body, "");
  EXPECT_EQ(open("GET", "/api/v1/repositories/%zz").status, 400);
}

class ConfigTest : public ServerTest {
 public:
  ConfigTest() { set_up(); }
};

TEST_F(ConfigTest, DescribesStoreAndVersion) {
  const Answer config = get("/config");
  EXPECT_EQ(config.status, 200);
  EXPECT_EQ(config.header("Content-Type"), "application/json");
  EXPECT_EQ(config.header("X-Request-Id").size(), 36U);
  EXPECT_EQ(config.at("storage_config.blockstore_type"), "mem");
  EXPECT_EQ(config.at("storage_config.blockstore_namespace_ValidityRegex"), "^mem://");
  EXPECT_EQ(config.at("storage_config.pre_sign_support"), "false");
  EXPECT_EQ(config.at("storage_config_list"), "(0)");
  EXPECT_EQ(config.at("version_config.version_context"), "lakeFS");
  EXPECT_EQ(config.at("ui_config"), "(0)");
  EXPECT_EQ(config.at("capabilities_config"), "(0)");
  EXPECT_EQ(get("/config/storage").at("blockstore_type"), "mem");
  EXPECT_EQ(get("/config/version").at("version_context"), "lakeFS");
  EXPECT_EQ(get("/config/garbage-collection").at("grace_period"), "86400");
}

TEST_F(ConfigTest, ChecksStatisticsAndDropsThem) {
  EXPECT_EQ(
      send("POST", "/statistics", R"({"events":[{"class":"a","name":"b","count":1}]})").status,
      204);
  EXPECT_EQ(
      send("POST", "/statistics", R"({"events":[{"class":"","name":"b","count":1}]})").message(),
      "invalid value: class is required");
  EXPECT_EQ(
      send("POST", "/statistics", R"({"events":[{"class":"a","name":"b","count":-1}]})").message(),
      "invalid value: count must be a non-negative integer");
}

TEST_F(ConfigTest, ReportsUsageInBothForms) {
  const Answer json = get("/usage-report/summary");
  EXPECT_EQ(json.at("installation_id"), authority.installation_id());
  EXPECT_EQ(json.at("reports"), "(0)");
  const Answer text =
      ask({.target = "/api/v1/usage-report/summary", .headers = {{"Accept", "text/plain"}}});
  EXPECT_TRUE(text.header("Content-Type").starts_with("text/plain"));
}

}  // namespace
}  // namespace tarn::rest
