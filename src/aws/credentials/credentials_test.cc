#include "aws/credentials/credentials.h"

#include <atomic>
#include <chrono>
#include <fstream>
#include <mutex>

#include <boost/asio/this_coro.hpp>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/format.h"
#include "http/testing/local_server.h"
#include "io/task_group.h"
#include "testing/co_test.h"
#include "testing/fake_clock.h"
#include "testing/temp_dir.h"

namespace tarn::aws {
namespace {

using http::Request;
using http::Response;
using http::testing::LocalServer;
using std::chrono::hours;
using std::chrono::minutes;

/// Answers like the token service, a container's agent and an instance, with keys that count up.
struct FakeAws {
  Task<> answer(Context& ctx, Request& request, Response& response) {
    const std::string path(request.raw_path());
    asked.fetch_add(1);
    if (broken) {
      response.set_status(500);
      co_return co_await response.send(ctx, "broken");
    }
    if (path == "/latest/api/token") {
      const bool fine = request.method() == "PUT" &&
                        request.header("x-aws-ec2-metadata-token-ttl-seconds").has_value();
      response.set_status(fine ? 200 : 400);
      co_return co_await response.send(ctx, "session");
    }
    if (path.starts_with("/latest/") && request.header("x-aws-ec2-metadata-token") != "session") {
      response.set_status(401);
      co_return co_await response.send(ctx, "");
    }
    if (path == "/latest/meta-data/iam/security-credentials/") {
      co_return co_await response.send(ctx, "the-role\n");
    }
    if (path == "/latest/meta-data/iam/security-credentials/the-role") {
      co_return co_await response.send(ctx, document("INSTANCE"));
    }
    if (path == "/agent") {
      const bool allowed = request.header("authorization") == "agent-token";
      response.set_status(allowed ? 200 : 403);
      co_return co_await response.send(ctx, document("AGENT"));
    }
    form = co_await io::read_all(ctx, request.body(), 10'000);
    co_await response.send(ctx, assumed_role());
  }

  std::string expiration() {
    Timestamp end = clock.now();
    end.seconds += 3'600;
    return to_rfc3339(end);
  }

  std::string document(std::string_view key) {
    return format(R"({{"Code":"Success","AccessKeyId":"{}{}","SecretAccessKey":"s","Token":"t",)"
                  R"("Expiration":"{}"}})",
                  key, ++issued, expiration());
  }

  std::string assumed_role() {
    return format(
        "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>"
        "<AccessKeyId>ROLE{}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
        "<SessionToken>t</SessionToken><Expiration>{}</Expiration></Credentials>"
        "</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>",
        ++issued, expiration());
  }

  testing::FakeClock clock;
  std::atomic<int> asked = 0;
  std::atomic<int> issued = 0;
  std::atomic<bool> broken = false;
  std::string form;
};

class CredentialsChain : public ::testing::Test {
 public:
  CredentialsChain() { config.home = dir.path(); }

  std::unique_ptr<CredentialsSource> make() {
    return make_credentials(config, client, files, aws.clock);
  }

  void write(const std::string& name, std::string_view text) {
    std::filesystem::create_directories(dir.path() / ".aws");
    std::ofstream(dir.path() / name) << text;
  }

  void use_instance() {
    config.environment["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = server.endpoint().origin();
  }

  void no_instance() { config.environment["AWS_EC2_METADATA_DISABLED"] = "true"; }

  testing::TempDir dir;
  FakeAws aws;
  LocalServer server{[this](Context& ctx, Request& request, Response& response) {
    return aws.answer(ctx, request, response);
  }};
  // Outlives the loop of the test, so it keeps no connections there.
  http::Client client{{.keep_alive = std::chrono::milliseconds{0}}};
  io::BlockingPool files{{.name = "files", .threads = 1}};
  CredentialsConfig config;
};

CO_TEST_F(CredentialsChain, PrefersTheConfiguredKeys) {
  self.config.access_key_id = "CONFIGURED";
  self.config.secret_access_key = "s";
  self.config.environment = {{"AWS_ACCESS_KEY_ID", "ENVIRONMENT"}, {"AWS_SECRET_ACCESS_KEY", "e"}};
  EXPECT_EQ((co_await self.make()->get(ctx)).access_key, "CONFIGURED");
}

CO_TEST_F(CredentialsChain, PrefersTheEnvironmentToFiles) {
  self.config.environment = {{"AWS_ACCESS_KEY_ID", "ENVIRONMENT"},
                             {"AWS_SECRET_ACCESS_KEY", "e"},
                             {"AWS_SESSION_TOKEN", "token"}};
  self.write(".aws/credentials", "[default]\naws_access_key_id=FILE\naws_secret_access_key=f\n");
  const auto source = self.make();
  EXPECT_EQ((co_await source->get(ctx)).access_key, "ENVIRONMENT");
  EXPECT_EQ((co_await source->get(ctx)).session_token, "token");
}

CO_TEST_F(CredentialsChain, ReadsTheProfileItIsToldTo) {
  self.write(".aws/credentials",
             "[default]\naws_access_key_id=FIRST\naws_secret_access_key=f\n"
             "[second]\naws_access_key_id=SECOND\naws_secret_access_key=g\n");
  EXPECT_EQ((co_await self.make()->get(ctx)).access_key, "FIRST");
  self.config.environment["AWS_PROFILE"] = "second";
  EXPECT_EQ((co_await self.make()->get(ctx)).access_key, "SECOND");
  self.config.profile = "third";
  CO_EXPECT_ERROR(self.make()->get(ctx), ErrorCode::unavailable);
}

CO_TEST_F(CredentialsChain, ReadsTheFileItIsToldToBeforeTheEnvironment) {
  self.config.environment = {{"AWS_ACCESS_KEY_ID", "ENVIRONMENT"}, {"AWS_SECRET_ACCESS_KEY", "e"}};
  self.write("keys", "[default]\naws_access_key_id=NAMED\naws_secret_access_key=f\n");
  self.config.credentials_file = self.dir.file("keys");
  EXPECT_EQ((co_await self.make()->get(ctx)).access_key, "NAMED");
}

CO_TEST_F(CredentialsChain, FindsTheRegionInEnvironmentAndProfile) {
  EXPECT_EQ(find_region_blocking(self.config), std::nullopt);
  self.write(".aws/config", "[default]\nregion = eu-north-1\n");
  EXPECT_EQ(find_region_blocking(self.config), "eu-north-1");
  self.config.environment["AWS_REGION"] = "eu-south-1";
  EXPECT_EQ(find_region_blocking(self.config), "eu-south-1");
  co_return;
}

CO_TEST_F(CredentialsChain, AssumesARoleByWebIdentity) {
  self.write("token", "ey.tok/en\n");
  self.config.web_identity_duration = minutes(20);
  self.config.environment = {{"AWS_ROLE_ARN", "arn:aws:iam::1:role/r"},
                             {"AWS_WEB_IDENTITY_TOKEN_FILE", self.dir.file("token")},
                             {"AWS_ENDPOINT_URL_STS", self.server.endpoint().origin()}};
  EXPECT_EQ((co_await self.make()->get(ctx)).access_key, "ROLE1");
  EXPECT_EQ(self.aws.form,
            "Action=AssumeRoleWithWebIdentity&Version=2011-06-15"
            "&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr&RoleSessionName=tarn"
            "&WebIdentityToken=ey.tok%2Fen&DurationSeconds=1200");
}

CO_TEST_F(CredentialsChain, AsksAContainersAgent) {
  self.write("agent-token", "agent-token");
  self.config.environment = {
      {"AWS_CONTAINER_CREDENTIALS_FULL_URI", self.server.endpoint().origin() + "/agent"},
      {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", self.dir.file("agent-token")}};
  EXPECT_EQ((co_await self.make()->get(ctx)).access_key, "AGENT1");
}

CO_TEST_F(CredentialsChain, AsksNoForeignAgentOverPlainHttp) {
  self.config.environment = {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://192.0.2.1/agent"}};
  CO_EXPECT_ERROR(self.make()->get(ctx), ErrorCode::unavailable);
}

CO_TEST_F(CredentialsChain, AsksTheInstanceInASession) {
  self.use_instance();
  EXPECT_EQ((co_await self.make()->get(ctx)).access_key, "INSTANCE1");
}

CO_TEST_F(CredentialsChain, ReportsThatThereAreNone) {
  self.no_instance();
  CO_EXPECT_ERROR(self.make()->get(ctx), ErrorCode::unavailable);
}

CO_TEST_F(CredentialsChain, RefreshesBeforeTheyEnd) {
  self.use_instance();
  const auto source = self.make();
  EXPECT_EQ((co_await source->get(ctx)).access_key, "INSTANCE1");
  self.aws.clock.advance(minutes(54));
  EXPECT_EQ((co_await source->get(ctx)).access_key, "INSTANCE1");
  self.aws.clock.advance(minutes(2));
  EXPECT_EQ((co_await source->get(ctx)).access_key, "INSTANCE2");
}

CO_TEST_F(CredentialsChain, UsesTheOldWhileRefreshingFails) {
  self.use_instance();
  const auto source = self.make();
  co_await source->get(ctx);
  self.aws.broken = true;
  self.aws.clock.advance(minutes(56));
  EXPECT_EQ((co_await source->get(ctx)).access_key, "INSTANCE1");
  const int asked = self.aws.asked;
  EXPECT_EQ((co_await source->get(ctx)).access_key, "INSTANCE1");
  EXPECT_EQ(self.aws.asked, asked) << "asked again at once";
  self.aws.clock.advance(minutes(5));
  CO_EXPECT_ERROR(source->get(ctx), ErrorCode::unavailable);
  self.aws.broken = false;
  EXPECT_EQ((co_await source->get(ctx)).access_key, "INSTANCE2");
}

CO_TEST_F(CredentialsChain, AsksAgainForWhatTheServiceRefused) {
  self.use_instance();
  const auto source = self.make();
  const Credentials first = co_await source->get(ctx);
  source->refuse(first);
  EXPECT_EQ((co_await source->get(ctx)).access_key, "INSTANCE2");
  source->refuse(first);  // an answer that came late
  EXPECT_EQ((co_await source->get(ctx)).access_key, "INSTANCE2");
}

Task<> get_into(CredentialsSource& source, std::string& key) {
  Context ctx(Context::SteadyClock::now() + std::chrono::seconds(30));
  key = (co_await source.get(ctx)).access_key;
}

CO_TEST_F(CredentialsChain, AsksOnceWhoeverWaits) {
  self.use_instance();
  const auto source = self.make();
  std::string keys[10];
  io::TaskGroup group;
  for (std::string& key : keys) {
    group.spawn(co_await boost::asio::this_coro::executor, "get", get_into(*source, key));
  }
  co_await group.join();
  for (const std::string& key : keys) {
    EXPECT_EQ(key, "INSTANCE1");
  }
}

}  // namespace
}  // namespace tarn::aws
