// Set-up, logins, the user and their keys, through the whole pipeline.
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/format.h"
#include "rest/testing/server_fixture.h"

namespace tarn::rest {
namespace {

using testing::Answer;
using testing::RequestSpec;
using testing::ServerTest;

class SetupTest : public ServerTest {};

RequestSpec json_post(std::string_view path, std::string_view body) {
  return {.method = "POST",
          .target = format("/api/v1{}", path),
          .headers = {{"Content-Type", "application/json"}},
          .body = std::string(body)};
}

TEST_F(SetupTest, TellsItsState) {
  EXPECT_EQ(ask_as_stranger({.target = "/api/v1/setup_lakefs"}).at("state"), "not_initialized");
  set_up();
  const Answer state = ask_as_stranger({.target = "/api/v1/setup_lakefs"});
  EXPECT_EQ(state.status, 200);
  EXPECT_EQ(state.at("state"), "initialized");
  EXPECT_EQ(state.at("login_config.RBAC"), "none");
  EXPECT_EQ(state.at("login_config.login_cookie_names.0"), "internal_auth_session");
  EXPECT_EQ(state.at("comm_prefs_missing"), "false");
}

TEST_F(SetupTest, HonoursTheKeySent) {
  const Answer answer = ask_as_stranger(json_post(
      "/setup_lakefs",
      R"({"username":"root","key":{"access_key_id":"AKIATEST","secret_access_key":"sekret"}})"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.at("access_key_id"), "AKIATEST");
  EXPECT_EQ(answer.at("secret_access_key"), "sekret");
  EXPECT_EQ(get("/user").at("user.id"), "root");
}

TEST_F(SetupTest, RefusesBadRequestsAndASecondTime) {
  const Answer nameless = ask_as_stranger(json_post("/setup_lakefs", R"({"username":""})"));
  EXPECT_EQ(nameless.status, 400);
  EXPECT_EQ(nameless.message(), "empty user display name");
  const Answer email =
      ask_as_stranger(json_post("/setup_lakefs", R"({"username":"a","email":"A <a@b.cd>"})"));
  EXPECT_EQ(email.status, 400);
  EXPECT_EQ(email.message(), "invalid email address");
  set_up();
  const Answer again = ask_as_stranger(json_post("/setup_lakefs", R"({"username":"b"})"));
  EXPECT_EQ(again.status, 409);
  EXPECT_EQ(again.message(), "lakeFS already initialized");
}

TEST_F(SetupTest, TakesPreferencesOnceAfterSetUp) {
  const auto prefs = [&] {
    return ask_as_stranger(
        json_post("/setup_comm_prefs",
                  R"({"email":"a@b.cd","featureUpdates":true,"securityUpdates":false})"));
  };
  EXPECT_EQ(prefs().status, 412);
  set_up();
  const Answer stored = prefs();
  EXPECT_EQ(stored.status, 200);
  EXPECT_EQ(stored.body, "");
  EXPECT_EQ(prefs().message(), "communication preferences already set");
}

class LoginTest : public ServerTest {
 public:
  LoginTest() { set_up(); }

  Answer log_in(std::string_view key, std::string_view secret) {
    return ask_as_stranger(
        json_post("/auth/login",
                  format(R"({{"access_key_id":"{}","secret_access_key":"{}"}})", key, secret)));
  }

  Answer current_user(std::string name, std::string value) {
    return ask_as_stranger(
        {.target = "/api/v1/user", .headers = {{std::move(name), std::move(value)}}});
  }
};

TEST_F(LoginTest, GivesATokenThatWorksAsBearerAndAsCookie) {
  const Answer login = log_in(kKeyId, kSecret);
  EXPECT_EQ(login.status, 200);
  EXPECT_EQ(login.at("token_expiration"), std::to_string(clock.now().seconds + 7 * 24 * 3600));
  const std::string token = login.at("token");
  EXPECT_TRUE(login.header("Set-Cookie").starts_with("internal_auth_session=" + token + "; "));
  EXPECT_EQ(current_user("Authorization", "Bearer " + token).at("user.id"), "admin");
  EXPECT_EQ(current_user("Cookie", "internal_auth_session=" + token).at("user.id"), "admin");
  clock.advance(std::chrono::hours(24 * 8));
  const Answer late = current_user("Cookie", "internal_auth_session=" + token);
  EXPECT_EQ(late.status, 401);
  EXPECT_EQ(late.message(), "error authenticating request");
}

TEST_F(LoginTest, RefusesWrongCredentials) {
  for (const auto& [key, secret] : std::initializer_list<std::pair<const char*, const char*>>{
           {"AKIATEST", "wrong"}, {"AKIAELSE", "sekret"}, {"", ""}}) {
    const Answer answer = log_in(key, secret);
    EXPECT_EQ(answer.status, 401) << key;
    EXPECT_EQ(answer.message(), "error authenticating request") << key;
    EXPECT_FALSE(answer.has_header("Set-Cookie"));
  }
  EXPECT_EQ(ask_as_stranger({.method = "POST", .target = "/api/v1/auth/login"}).status, 401);
}

TEST_F(LoginTest, FirstMaterialDecides) {
  const std::string token = log_in(kKeyId, kSecret).at("token");
  const Answer answer =
      ask_as_stranger({.target = "/api/v1/user",
                       .headers = {{"Authorization", "Basic " + to_base64("AKIATEST:wrong")},
                                   {"Cookie", "internal_auth_session=" + token}}});
  EXPECT_EQ(answer.status, 401);
}

TEST_F(LoginTest, ToleratesStrangersOnlyWhereItAsksWhoTheyAre) {
  const Answer nobody = ask_as_stranger({.target = "/api/v1/user"});
  EXPECT_EQ(nobody.status, 200);
  EXPECT_EQ(nobody.body, "{\"user\":{\"id\":\"\",\"creation_date\":0}}\n");
  const Answer repositories = ask_as_stranger({.target = "/api/v1/repositories"});
  EXPECT_EQ(repositories.status, 401);
  EXPECT_EQ(repositories.body, "{\"message\":\"error authenticating request\"}\n");
}

TEST_F(LoginTest, RefusesStrangersBeforeSayingWhatExists) {
  EXPECT_EQ(ask_as_stranger({.target = "/api/v1/repositories/nope"}).status, 401);
  EXPECT_EQ(get("/repositories/nope").status, 404);
}

class UserTest : public LoginTest {};

TEST_F(UserTest, IsTheOnlyOne) {
  const Answer current = get("/user");
  EXPECT_EQ(current.at("user.id"), "admin");
  EXPECT_EQ(current.at("user.email"), "");
  EXPECT_EQ(current.at("user.friendly_name"), "");
  EXPECT_EQ(current.at("user.creation_date"), std::to_string(clock.now().seconds));
  const Answer users = get("/auth/users?amount=-1&prefix=zzz");
  EXPECT_EQ(users.all("id"), std::vector<std::string>{"admin"});
  EXPECT_EQ(users.at("pagination.max_per_page"), "0");
  EXPECT_EQ(get("/auth/users/admin").at("id"), "admin");
  EXPECT_EQ(get("/auth/users/other").status, 404);
  EXPECT_EQ(get("/auth/users/other").message(), "user not found");
  EXPECT_EQ(get("/auth/capabilities").at("invite_user"), "false");
}

struct NewUserCase {
  std::string_view body;
  int status;
  std::string_view message;
};

TEST_F(UserTest, RefusesMoreInTheReferencesOrder) {
  for (const auto& [body, status, message] : std::initializer_list<NewUserCase>{
           {R"({"id":"bob","invite_user":true})", 400, "Invalid email format"},
           {R"({"id":"b@c.de","invite_user":true})", 501, "Not Implemented"},
           {R"({"id":"a%/"})", 400, "User name cannot contain '%'"},
           {R"({"id":""})", 400, "empty name: validation error"},
           {R"({"id":"a/b"})", 400, "name contains delimiter /: validation error"},
           {R"({"id":"bob"})", 409, "Already exists"}}) {
    const Answer answer = send("POST", "/auth/users", body);
    EXPECT_EQ(answer.status, status) << body;
    EXPECT_EQ(answer.message(), message) << body;
  }
}

TEST_F(UserTest, CannotBeDeleted) {
  EXPECT_EQ(send("DELETE", "/auth/users/other").message(), "user not found");
  EXPECT_EQ(send("DELETE", "/auth/users/admin").status, 403);
  EXPECT_EQ(get("/user").status, 200);
}

class CredentialsTest : public LoginTest {};

TEST_F(CredentialsTest, CanBeMadeUsedAndDeleted) {
  const Answer made = send("POST", "/auth/users/admin/credentials");
  ASSERT_EQ(made.status, 201) << made.body;
  const std::string key = made.at("access_key_id");
  EXPECT_EQ(log_in(key, made.at("secret_access_key")).status, 200);
  const std::string path = "/auth/users/admin/credentials/" + key;
  EXPECT_EQ(get(path).at("access_key_id"), key);
  EXPECT_EQ(get(path).at("secret_access_key"), "(absent)");
  EXPECT_EQ(send("DELETE", path).status, 204);
  EXPECT_EQ(get(path).message(), "credentials not found");
  EXPECT_EQ(send("DELETE", path).status, 404);
  EXPECT_EQ(log_in(key, made.at("secret_access_key")).status, 401);
}

TEST_F(CredentialsTest, AreListedInPages) {
  std::vector<std::string> keys{std::string(kKeyId)};
  for (int i = 0; i < 2; ++i) {
    keys.push_back(send("POST", "/auth/users/admin/credentials").at("access_key_id"));
  }
  std::ranges::sort(keys);
  const Answer first = get("/auth/users/admin/credentials?amount=2");
  EXPECT_EQ(first.all("access_key_id"), (std::vector<std::string>{keys[0], keys[1]}));
  EXPECT_EQ(first.at("pagination.has_more"), "true");
  EXPECT_EQ(first.at("pagination.next_offset"), keys[1]);
  EXPECT_EQ(first.at("pagination.max_per_page"), "0");
  const Answer rest = get("/auth/users/admin/credentials?amount=2&after=" + keys[1]);
  EXPECT_EQ(rest.all("access_key_id"), std::vector<std::string>{keys[2]});
  EXPECT_EQ(rest.at("pagination.has_more"), "false");
  EXPECT_EQ(rest.at("pagination.next_offset"), "");
}

TEST_F(CredentialsTest, NeedAKnownUser) {
  EXPECT_EQ(send("POST", "/auth/users/other/credentials").message(), "not found");
  EXPECT_EQ(get("/auth/users/other/credentials").status, 404);
  EXPECT_EQ(send("DELETE", "/auth/users/other/credentials/x").status, 404);
}

}  // namespace
}  // namespace tarn::rest
