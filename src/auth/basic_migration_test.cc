#include "auth/basic_migration.h"

#include <string>

#include "auth/auth_codec.h"
#include "auth/authority.h"
#include "auth/secret_box.h"
#include "kv/mem/mem_store.h"
#include "testing/co_test.h"
#include "testing/fake_clock.h"

namespace tarn::auth {
namespace {

constexpr const char* kKeyId = "AKIAJOLDOLDOLDOLDOLQ";

/// An installation from before the built-in mode.
struct OldInstallation {
  kv::MemStore kv;
  testing::FakeClock clock;
  Authority authority{kv, clock, {.secret_key = "the key"}};

  Task<> make(Context& ctx) {
    co_await kv.set(ctx, "auth", "installation_metadata/setup_timestamp", "2023-01-02T03:04:05Z");
    co_await kv.set(ctx, "kv-internal-metadata", "kv/schema/version", "4");
    co_await add_user(ctx, "root");
    co_await add_credential(ctx, kKeyId);
  }

  Task<> add_user(Context& ctx, std::string name) {
    const User user{.username = name, .source = "internal"};
    co_await kv.set(ctx, "auth", "users/" + name, encode_user(user));
  }

  Task<> add_credential(Context& ctx, std::string id) {
    const StoredCredential credential{.credential = {.access_key_id = id},
                                      .sealed_secret = seal_secret("the key", "old secret"),
                                      .username = "root"};
    co_await kv.set(ctx, "auth", "uCredentials/root/credentials/" + id,
                    encode_credential(credential));
  }
};

CO_TEST(BasicMigration, TheOneUserBecomesTheAdministrator) {
  OldInstallation old;
  co_await old.make(ctx);
  co_await old.authority.open(ctx);
  const auto principal = co_await old.authority.authenticate_basic(ctx, kKeyId, "old secret");
  CO_ASSERT_TRUE(principal.has_value());
  EXPECT_EQ(principal->user.username, "root");
  EXPECT_TRUE(co_await old.kv.get(ctx, "basicAuth", "users/superAdmin"));
  const auto key = co_await old.kv.get(
      ctx, "basicAuth", std::string("uCredentials/superAdmin/credentials/") + kKeyId);
  CO_ASSERT_TRUE(key.has_value());
  EXPECT_EQ(decode_credential(*key).username, "root");  // the reference wants the real name here
  // What was there stays: the program that wrote it may want it back.
  EXPECT_TRUE(co_await old.kv.get(ctx, "auth", "users/root"));
}

CO_TEST(BasicMigration, HappensOnce) {
  OldInstallation old;
  co_await old.make(ctx);
  co_await old.authority.open(ctx);
  co_await old.add_user(ctx, "second");
  Authority later(old.kv, old.clock, {.secret_key = "the key"});
  co_await later.open(ctx);
  EXPECT_TRUE(co_await later.authenticate_basic(ctx, kKeyId, "old secret"));
}

CO_TEST(BasicMigration, SeveralUsersOrCredentialsAreRefusedUnchanged) {
  for (const bool users : {true, false}) {
    OldInstallation old;
    co_await old.make(ctx);
    if (users) {
      co_await old.add_user(ctx, "second");
    } else {
      co_await old.add_credential(ctx, "AKIAJOTHEROTHEROTHEQ");
    }
    CO_EXPECT_ERROR(old.authority.open(ctx), ErrorCode::invalid_argument);
    EXPECT_FALSE(co_await old.kv.get(ctx, "basicAuth", "users/superAdmin"));
  }
}

CO_TEST(BasicMigration, AnotherEncryptionKeyIsRefusedUnchanged) {
  OldInstallation old;
  co_await old.make(ctx);
  Authority other(old.kv, old.clock, {.secret_key = "another key"});
  CO_EXPECT_ERROR(other.open(ctx), ErrorCode::invalid_argument);
  EXPECT_FALSE(co_await old.kv.get(ctx, "basicAuth", "users/superAdmin"));
}

}  // namespace
}  // namespace tarn::auth
