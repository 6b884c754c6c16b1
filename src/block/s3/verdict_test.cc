#include "block/s3/verdict.h"

#include <gtest/gtest.h>

#include "block/s3/region_book.h"
#include "block/s3/requester.h"
#include "block/s3/upload.h"

namespace tarn::block::s3 {
namespace {

TEST(Verdict, RepeatsWhatIsTheServicesTrouble) {
  for (const auto& [status, code] : std::initializer_list<std::pair<std::uint16_t, const char*>>{
           {500, "InternalError"},
           {503, "SlowDown"},
           {503, ""},
           {502, ""},
           {504, ""},
           {429, ""},
           {400, "RequestTimeout"},
           {400, "BadDigest"},
           {400, "XAmzContentSHA256Mismatch"},
           {409, "OperationAborted"},
           {200, "InternalError"}}) {
    EXPECT_EQ(judge(status, code, false), Verdict::repeat) << status << code;
  }
}

TEST(Verdict, TakesAnswersAndRefusalsAsTheyAre) {
  for (const auto& [status, code] :
       std::initializer_list<std::pair<std::uint16_t, const char*>>{{200, ""},
                                                                    {206, ""},
                                                                    {204, ""},
                                                                    {404, "NoSuchKey"},
                                                                    {404, ""},
                                                                    {403, "AccessDenied"},
                                                                    {412, "PreconditionFailed"},
                                                                    {416, "InvalidRange"},
                                                                    {501, "NotImplemented"}}) {
    EXPECT_EQ(judge(status, code, false), Verdict::answer) << status << code;
  }
}

TEST(Verdict, GoesElsewhereOnlyWhenToldWhere) {
  EXPECT_EQ(judge(301, "PermanentRedirect", true), Verdict::other_region);
  EXPECT_EQ(judge(400, "AuthorizationHeaderMalformed", true), Verdict::other_region);
  EXPECT_EQ(judge(301, "", true), Verdict::other_region);
  EXPECT_EQ(judge(400, "", true), Verdict::other_region);
  EXPECT_EQ(judge(301, "PermanentRedirect", false), Verdict::answer);
  EXPECT_EQ(judge(400, "InvalidArgument", true), Verdict::answer);
}

TEST(Verdict, WantsNewKeysForExpiredOnes) {
  EXPECT_EQ(judge(400, "ExpiredToken", false), Verdict::new_keys);
  EXPECT_EQ(judge(403, "AccessDenied", false), Verdict::answer);
}

TEST(Refusal, TellsWhoseFaultItIs) {
  EXPECT_EQ(refusal("x", 404, "NoSuchUpload").code(), ErrorCode::upload_not_found);
  EXPECT_EQ(refusal("x", 404, "NoSuchBucket").code(), ErrorCode::invalid_argument);
  EXPECT_EQ(refusal("x", 400, "InvalidPart").code(), ErrorCode::invalid_argument);
  EXPECT_EQ(refusal("x", 503, "SlowDown").code(), ErrorCode::throttled);
  EXPECT_EQ(refusal("x", 507, "").code(), ErrorCode::storage_full);
  EXPECT_EQ(refusal("x", 403, "AccessDenied").code(), ErrorCode::unavailable);
  EXPECT_EQ(refusal("x", 412, "").code(), ErrorCode::precondition_failed);
}

TEST(Backoff, IsRandomBelowABoundThatDoubles) {
  const S3Config config{.backoff_first = std::chrono::milliseconds(50),
                        .backoff_max = std::chrono::milliseconds(1'000)};
  EXPECT_EQ(backoff(config, 0, 50).count(), 50);
  EXPECT_EQ(backoff(config, 0, 51).count(), 0);
  EXPECT_EQ(backoff(config, 3, 400).count(), 400);
  for (std::uint32_t attempts : {5u, 20u, 63u, 1'000'000u}) {
    EXPECT_LE(backoff(config, attempts, UINT32_MAX).count(), 1'000);
    EXPECT_EQ(backoff(config, attempts, 1'000).count(), 1'000);
  }
}

TEST(PartBytes, HoldTheLargestObjectInTenThousandParts) {
  const S3Config config;
  constexpr std::uint64_t kLargest = 5ULL << 40;
  EXPECT_EQ(part_bytes_of(config, 1, 1'000), config.part_bytes);
  EXPECT_GE(part_bytes_of(config, 1, kLargest) * 10'000, kLargest);
  std::uint64_t sum = 0;
  for (std::uint32_t number = 1; number <= 10'000; ++number) {
    const std::size_t bytes = part_bytes_of(config, number, {});
    EXPECT_LE(bytes, std::size_t{512} << 20);
    sum += bytes;
  }
  EXPECT_GT(sum, 1ULL << 40);
}

TEST(RegionBook, KeepsOnlyWhatCanBeARegion) {
  RegionBook book;
  book.note("lake", "eu-west-1");
  book.note("other", "evil.example/");
  EXPECT_EQ(book.find("lake"), "eu-west-1");
  EXPECT_FALSE(book.find("other"));
}

}  // namespace
}  // namespace tarn::block::s3
