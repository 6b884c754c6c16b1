// URLs that carry their signature.
#include <gtest/gtest.h>

#include "aws/credentials/credentials.h"
#include "base/error.h"
#include "block/s3/s3_object_store.h"
#include "http/client.h"
#include "testing/co_test.h"
#include "testing/fake_clock.h"

namespace tarn::block {
namespace {

class Presigned : public ::testing::Test {
 public:
  std::unique_ptr<S3ObjectStore> make(S3Config config) {
    config.discover_bucket_region = asks;
    return std::make_unique<S3ObjectStore>(
        std::move(config), std::make_unique<http::Client>(),
        std::make_unique<aws::FixedCredentials>(aws::Credentials{.access_key = "AKIA",
                                                                 .secret_key = "s",
                                                                 .session_token = "tok/en=",
                                                                 .expires = credentials_end}),
        pool, clock);
  }

  bool asks = false;
  std::optional<Timestamp> credentials_end;

  testing::FakeClock clock;
  io::BlockingPool pool{{.name = "s3", .threads = 1}};
  ObjectRef ref{"s3://lake/space", "data/a b", AddressType::relative};
};

CO_TEST_F(Presigned, SaysWhereWhenAndForHowLong) {
  const auto store = self.make({.region = "eu-west-1", .presign_expiry = std::chrono::minutes(5)});
  const auto get = co_await store->presign_get(ctx, self.ref, {});
  EXPECT_TRUE(get.url.starts_with("https://lake.s3.eu-west-1.amazonaws.com/space/data/a%20b?"))
      << get.url;
  for (const char* item :
       {"X-Amz-Expires=300&", "X-Amz-Date=20260102T030405Z&", "X-Amz-SignedHeaders=host",
        "X-Amz-Security-Token=tok%2Fen%3D", "&X-Amz-Signature="}) {
    EXPECT_NE(get.url.find(item), std::string::npos) << item << " in " << get.url;
  }
  EXPECT_EQ(get.expires.seconds, self.clock.now().seconds + 300);
}

CO_TEST_F(Presigned, DiffersByMethodAndPart) {
  const auto store = self.make({});
  const auto get = co_await store->presign_get(ctx, self.ref, {});
  const auto put = co_await store->presign_put(ctx, self.ref);
  const auto part = co_await store->presign_part(ctx, self.ref, "u/1", 7);
  EXPECT_NE(get.url, put.url);
  EXPECT_NE(part.url.find("?partNumber=7&uploadId=u%2F1&"), std::string::npos) << part.url;
}

CO_TEST_F(Presigned, UsesTheEndpointClientsReach) {
  const auto store = self.make({.endpoint = "http://inside:9000",
                                .force_path_style = true,
                                .presign_endpoint = "https://outside.example"});
  const auto get = co_await store->presign_get(ctx, self.ref, {});
  EXPECT_TRUE(get.url.starts_with("https://outside.example/lake/space/data/a%20b?")) << get.url;
}

CO_TEST_F(Presigned, TellsBrowsersTheObjectsName) {
  const auto store = self.make({});
  const auto get = co_await store->presign_get(ctx, self.ref, "a b.csv");
  const std::string_view item =
      "?response-content-disposition=attachment%3B%20filename%3D%22a%20b.csv%22&";
  EXPECT_NE(get.url.find(item), std::string::npos) << get.url;
}

CO_TEST_F(Presigned, EndsWithTheCredentials) {
  self.credentials_end = self.clock.now();
  self.credentials_end->seconds += 77;
  const auto get = co_await self.make({})->presign_get(ctx, self.ref, {});
  EXPECT_NE(get.url.find("X-Amz-Expires=77&"), std::string::npos) << get.url;
  EXPECT_EQ(get.expires.seconds, self.clock.now().seconds + 77);
  self.credentials_end->seconds -= 100;  // over; the service will say so
  const auto late = co_await self.make({})->presign_get(ctx, self.ref, {});
  EXPECT_NE(late.url.find("X-Amz-Expires=1&"), std::string::npos) << late.url;
}

CO_TEST_F(Presigned, IsNotGuessedWhileTheServiceIsSilent) {
  self.asks = true;
  const auto store = self.make({.endpoint = "http://127.0.0.1:1", .force_path_style = true});
  CO_EXPECT_ERROR(store->presign_get(ctx, self.ref, {}), ErrorCode::unavailable);
}

CO_TEST_F(Presigned, IsOfferedAsConfigured) {
  const auto usual = self.make({});
  EXPECT_EQ(usual->presigner(), usual.get());
  EXPECT_TRUE(usual->info().presign_support);
  EXPECT_TRUE(usual->info().presign_multipart_support);
  EXPECT_FALSE(usual->info().presign_support_ui);
  const auto without_parts = self.make({.presign_ui = true, .presign_multipart = false});
  EXPECT_TRUE(without_parts->info().presign_support);
  EXPECT_TRUE(without_parts->info().presign_support_ui);
  EXPECT_FALSE(without_parts->info().presign_multipart_support);
  co_return;
}

CO_TEST_F(Presigned, IsRefusedWhenTurnedOff) {
  const auto store = self.make({.presign = false, .presign_ui = true});
  EXPECT_EQ(store->presigner(), nullptr);
  EXPECT_FALSE(store->info().presign_support);
  EXPECT_FALSE(store->info().presign_support_ui);
  EXPECT_FALSE(store->info().presign_multipart_support);
  CO_EXPECT_ERROR(store->presign_get(ctx, self.ref, {}), ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace tarn::block
