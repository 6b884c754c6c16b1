#include "block/s3/bucket_health.h"

#include <utility>

#include <gtest/gtest.h>

namespace tarn::block::s3 {
namespace {

TEST(BucketHealth, SuspectsNothingBeforeABucketHasWorked) {
  BucketHealth health;
  EXPECT_EQ(health.suspect(), std::nullopt);
  health.note("never", 404, "NoSuchBucket");
  health.note("never", 403, "AccessDenied");
  EXPECT_EQ(health.suspect(), std::nullopt);
}

TEST(BucketHealth, SuspectsABucketThatRefusesWhatItUsedToAccept) {
  BucketHealth health;
  health.note("lake", 200, "");
  EXPECT_EQ(health.suspect(), std::nullopt);
  health.note("lake", 404, "NoSuchBucket");
  EXPECT_EQ(health.suspect(), "lake");
  health.note("lake", 403, "");
  EXPECT_EQ(health.refusal_of("lake"), "NoSuchBucket");
  health.note("lake", 206, "");
  EXPECT_EQ(health.suspect(), std::nullopt);
  EXPECT_EQ(health.refusal_of("lake"), std::nullopt);
}

TEST(BucketHealth, IsCalmWhileAnotherBucketWorks) {
  BucketHealth health;
  health.note("a", 200, "");
  health.note("b", 200, "");
  health.note("a", 403, "AccessDenied");
  EXPECT_EQ(health.suspect(), std::nullopt);
  health.note("b", 403, "");
  EXPECT_TRUE(health.suspect().has_value());
  EXPECT_EQ(health.refusal_of("b"), "status 403");
}

TEST(BucketHealth, TakesARefusedKeyAsARefusalOfAll) {
  BucketHealth health;
  health.note("a", 200, "");
  health.note("b", 200, "");
  health.note("b", 403, "InvalidAccessKeyId");
  EXPECT_TRUE(health.suspect().has_value());
  EXPECT_EQ(health.refusal_of("a"), "InvalidAccessKeyId");
}

TEST(BucketHealth, LearnsNothingFromOrdinaryRefusalsAndTrouble) {
  BucketHealth health;
  health.note("lake", 200, "");
  for (const auto& [status, code] : {std::pair{404, "NoSuchKey"},
                                     {404, ""},
                                     {412, "PreconditionFailed"},
                                     {416, "InvalidRange"},
                                     {503, "SlowDown"},
                                     {500, ""}}) {
    health.note("lake", static_cast<std::uint16_t>(status), code);
    EXPECT_EQ(health.suspect(), std::nullopt) << status << code;
  }
}

TEST(BucketHealth, AsksForTheExpectedBucketFromTheBeginning) {
  BucketHealth health("lake");
  EXPECT_EQ(health.suspect(), "lake");
  health.note("lake", 200, "");
  EXPECT_EQ(health.suspect(), std::nullopt);
}

TEST(BucketHealth, FindsTheBucketOfANamespace) {
  EXPECT_EQ(bucket_of_namespace("s3://lake/prefix"), "lake");
  EXPECT_EQ(bucket_of_namespace("s3://lake"), "lake");
  EXPECT_EQ(bucket_of_namespace("local://"), "");
  EXPECT_EQ(bucket_of_namespace(""), "");
}

}  // namespace
}  // namespace tarn::block::s3
