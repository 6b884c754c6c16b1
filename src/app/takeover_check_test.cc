#include "app/takeover_check.h"

#include <filesystem>
#include <fstream>
#include <string>

#include "app/stores.h"
#include "auth/auth_codec.h"
#include "auth/secret_box.h"
#include "base/error.h"
#include "base/time.h"
#include "io/blocking_pool.h"
#include "io/loops.h"
#include "kv/mem/mem_store.h"
#include "testing/co_test.h"
#include "testing/temp_dir.h"
#include "versioning/refs/record_codec.h"

namespace tarn::app {
namespace {

using versioning::Repository;

struct Installation {
  kv::MemStore kv;
  Config config;

  Installation() {
    config.auth.secret_key = "the key";
    config.blockstore = BlockstoreType::mem;
  }

  Task<> make(Context& ctx) {
    co_await kv.set(ctx, "kv-internal-metadata", "kv/schema/version", "4");
    co_await kv.set(ctx, "basicAuth", "users/superAdmin", auth::encode_user({.username = "admin"}));
    const auth::StoredCredential key{.credential = {.access_key_id = "AKIAJKEY"},
                                     .sealed_secret = auth::seal_secret("the key", "secret"),
                                     .username = "superAdmin"};
    co_await kv.set(ctx, "basicAuth", "uCredentials/superAdmin/credentials/AKIAJKEY",
                    auth::encode_credential(key));
  }

  Task<> add_repository(Context& ctx, std::string storage_id = "") {
    const Repository repository{.id = RepositoryId::from_stored("lake"),
                                .storage_namespace = "mem://lake",
                                .default_branch = BranchId::from_stored("main"),
                                .instance_uid = "uid",
                                .storage_id = std::move(storage_id)};
    co_await kv.set(ctx, "graveler", "repos/lake", versioning::encode_repository(repository));
    const versioning::Branch branch{.id = BranchId::from_stored("main"),
                                    .commit_id = CommitId::from_stored("c"),
                                    .staging_token = "now",
                                    .sealed_tokens = {"before"}};
    co_await kv.set(ctx, "lake-uid", "branches/main", versioning::encode_branch(branch));
    for (const char* token : {"now", "before"})
      co_await kv.set(ctx, token, "path", "entry");
  }

  Task<TakeoverReport> check(Context& ctx) { return check_takeover(ctx, kv, config); }
};

CO_TEST(TakeoverCheck, CountsWhatIsThere) {
  Installation i;
  co_await i.make(ctx);
  co_await i.add_repository(ctx);
  const TakeoverReport report = co_await i.check(ctx);
  EXPECT_TRUE(report.good()) << to_text(report);
  CO_ASSERT_EQ(report.repositories.size(), 1u);
  EXPECT_EQ(report.repositories[0].branches, 1u);
  EXPECT_EQ(report.repositories[0].staged, 2u);
  EXPECT_EQ(report.repositories[0].sealed_tokens, 1u);
  EXPECT_NE(to_text(report).find("can be taken over"), std::string::npos);
}

CO_TEST(TakeoverCheck, WrongEncryptionKeyIsAProblem) {
  Installation i;
  co_await i.make(ctx);
  i.config.auth.secret_key = "another";
  const TakeoverReport report = co_await i.check(ctx);
  CO_ASSERT_EQ(report.problems.size(), 1u);
  EXPECT_NE(report.problems[0].find("auth.encrypt.secret_key"), std::string::npos);
}

CO_TEST(TakeoverCheck, OtherSchemaVersionsAreAProblem) {
  for (const char* version : {"3", "5"}) {
    Installation i;
    co_await i.make(ctx);
    co_await i.kv.set(ctx, "kv-internal-metadata", "kv/schema/version", version);
    EXPECT_FALSE((co_await i.check(ctx)).good());
  }
  Installation empty;
  EXPECT_FALSE((co_await empty.check(ctx)).good());
}

CO_TEST(TakeoverCheck, SecondBlockStoreAndDamageAreNamed) {
  Installation i;
  co_await i.make(ctx);
  co_await i.add_repository(ctx, "second");
  co_await i.kv.set(ctx, "graveler", "repos/broken", "\xff\xff");
  const TakeoverReport report = co_await i.check(ctx);
  EXPECT_EQ(report.problems.size(), 2u) << to_text(report);
}

std::string refusal(const Config& config) {
  try {
    run_takeover_check(config);
    return "not refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    return error.message();
  }
}

TEST(TakeoverCheck, EmbeddedDatabasesAreRefusedWithTheWayOut) {
  const tarn::testing::TempDir dir;
  Config config;
  config.database = DatabaseType::local;
  config.database_path = dir.path();
  EXPECT_NE(refusal(config).find("PostgreSQL first"), std::string::npos) << refusal(config);
  std::ofstream(dir.file("CURRENT")) << "MANIFEST-000001";
  EXPECT_NE(refusal(config).find("tarn itself"), std::string::npos) << refusal(config);
  for (const char* name : {"KEYREGISTRY", "MANIFEST"})
    std::ofstream(dir.file(name)) << "x";
  EXPECT_NE(refusal(config).find("PostgreSQL first"), std::string::npos) << refusal(config);
}

TEST(OpenKv, NoStoreIsMadeInsideTheReferencesEmbeddedDatabase) {
  const tarn::testing::TempDir dir;
  Config config;
  config.database = DatabaseType::local;
  config.database_path = dir.path();
  for (const char* name : {"KEYREGISTRY", "MANIFEST"})
    std::ofstream(dir.file(name)) << "x";
  const io::Loops loops(1);
  io::BlockingPool pool({.name = "metadata"});
  const SystemClock clock;
  EXPECT_THROW(open_kv(config, {.loops = loops, .pool = pool, .clock = clock}), Error);
  EXPECT_FALSE(std::filesystem::exists(dir.path() / "CURRENT"));
}

}  // namespace
}  // namespace tarn::app
