#include "auth/authority.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "kv/mem/mem_store.h"
#include "testing/co_test.h"
#include "testing/fake_clock.h"

namespace tarn::auth {
namespace {

struct Fixture {
  kv::MemStore kv;
  testing::FakeClock clock;
  Authority authority{kv, clock, {.secret_key = "test key"}};
};

CO_TEST(Authority, SetsUpOneAdministratorOnce) {
  Fixture f;
  co_await f.authority.open(ctx);
  EXPECT_FALSE(co_await f.authority.is_initialized(ctx));
  const auto secret = co_await f.authority.setup(ctx, "admin", std::nullopt);
  EXPECT_EQ(secret.credential.access_key_id.size(), 20U);
  EXPECT_EQ(secret.secret_access_key.size(), 40U);
  EXPECT_TRUE(co_await f.authority.is_initialized(ctx));
  CO_EXPECT_ERROR(f.authority.setup(ctx, "other", std::nullopt), ErrorCode::already_exists);
  CO_EXPECT_ERROR(f.authority.setup(ctx, "", std::nullopt), ErrorCode::invalid_argument);
}

CO_TEST(Authority, KeepsItsInstallationIdOverARestart) {
  Fixture f;
  co_await f.authority.open(ctx);
  Authority second(f.kv, f.clock, {.secret_key = "test key"});
  co_await second.open(ctx);
  EXPECT_EQ(second.installation_id(), f.authority.installation_id());
  EXPECT_EQ(f.authority.installation_id().size(), 36U);
}

CO_TEST(Authority, RefusesASchemaItDoesNotServe) {
  for (const char* version : {"0", "3", "5", "x", ""}) {
    Fixture f;
    co_await f.kv.set(ctx, "kv-internal-metadata", "kv/schema/version", version);
    CO_EXPECT_ERROR(f.authority.open(ctx), ErrorCode::invalid_argument);
  }
}

CO_TEST(Authority, AuthenticatesOnlyTheRightPair) {
  Fixture f;
  const std::pair<std::string, std::string> key("AKIAIOSFOLQUICKSTART", "secret");
  co_await f.authority.setup(ctx, "admin", key);
  const auto principal = co_await f.authority.authenticate_basic(ctx, key.first, "secret");
  CO_ASSERT_TRUE(principal.has_value());
  EXPECT_EQ(principal->user.username, "admin");
  EXPECT_FALSE(co_await f.authority.authenticate_basic(ctx, key.first, "Secret"));
  EXPECT_FALSE(co_await f.authority.authenticate_basic(ctx, key.first, ""));
  EXPECT_FALSE(co_await f.authority.authenticate_basic(ctx, "AKIAUNKNOWN", "secret"));
  EXPECT_FALSE(co_await f.authority.authenticate_basic(ctx, "", ""));
  EXPECT_FALSE(co_await f.authority.authenticate_basic(ctx, "a/b", "secret"));
}

CO_TEST(Authority, StoresNoSecretInClear) {
  Fixture f;
  const auto secret = co_await f.authority.setup(ctx, "admin", std::nullopt);
  auto cursor = f.kv.scan("basicAuth", {});
  int records = 0;
  while (cursor->next() || co_await cursor->fill(ctx)) {
    ++records;
    EXPECT_EQ(cursor->value().find(secret.secret_access_key), std::string_view::npos);
  }
  EXPECT_EQ(records, 2);
}

CO_TEST(Authority, ReportsAWrongEncryptionKeyInsteadOfRefusingEverybody) {
  Fixture f;
  const auto secret = co_await f.authority.setup(ctx, "admin", std::nullopt);
  Authority other(f.kv, f.clock, {.secret_key = "another key"});
  CO_EXPECT_ERROR(other.find_secret(ctx, secret.credential.access_key_id), ErrorCode::corrupt);
}

CO_TEST(Authority, ADeletedKeyStopsWorkingAtOnce) {
  Fixture f;
  co_await f.authority.setup(ctx, "admin", std::nullopt);
  const auto extra = co_await f.authority.create_credentials(ctx, "admin");
  const std::string id = extra.credential.access_key_id;
  EXPECT_TRUE(co_await f.authority.authenticate_basic(ctx, id, extra.secret_access_key));
  EXPECT_EQ((co_await f.authority.list_credentials(ctx, "admin")).size(), 2U);
  EXPECT_TRUE(co_await f.authority.delete_credentials(ctx, "admin", id));
  EXPECT_FALSE(co_await f.authority.authenticate_basic(ctx, id, extra.secret_access_key));
  EXPECT_FALSE(co_await f.authority.delete_credentials(ctx, "admin", id));
  EXPECT_EQ((co_await f.authority.list_credentials(ctx, "admin")).size(), 1U);
}

CO_TEST(Authority, LeavesTheReferencesPartitionWithOneCredential) {
  Fixture f;
  co_await f.authority.setup(ctx, "admin", std::nullopt);
  co_await f.authority.create_credentials(ctx, "admin");
  auto cursor = f.kv.scan("basicAuth", {.prefix = "uCredentials/"});
  int records = 0;
  while (cursor->next() || co_await cursor->fill(ctx))
    ++records;
  EXPECT_EQ(records, 1);
}

CO_TEST(Authority, TokensNameAUserThatStillExists) {
  Fixture f;
  co_await f.authority.setup(ctx, "admin", std::nullopt);
  const auto token = f.authority.issue_token({.username = "admin"});
  const auto principal = co_await f.authority.authenticate_token(ctx, token.jwt);
  CO_ASSERT_TRUE(principal.has_value());
  EXPECT_EQ(principal->user.username, "admin");
  const auto stranger = f.authority.issue_token({.username = "nobody"});
  EXPECT_FALSE(co_await f.authority.authenticate_token(ctx, stranger.jwt));
}

CO_TEST(Authority, AuthorizesTheAdministratorAndNobodyElse) {
  Fixture f;
  co_await f.authority.setup(ctx, "admin", std::nullopt);
  EXPECT_NO_THROW(f.authority.authorize(Principal{.user = {.username = "admin"}}, {}));
  try {
    f.authority.authorize(std::nullopt, {});
    ADD_FAILURE() << "nobody was let in";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unauthenticated);
    EXPECT_EQ(error.message(), "error authenticating request");
  }
}

}  // namespace
}  // namespace tarn::auth
