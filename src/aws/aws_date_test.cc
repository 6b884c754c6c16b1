#include "aws/aws_date.h"

#include <gtest/gtest.h>

namespace tarn::aws {
namespace {

TEST(AwsDate, ReadsIsoBasicAndWritesItBack) {
  const auto time = parse_iso_basic("20130524T000000Z");
  ASSERT_TRUE(time);
  EXPECT_EQ(time->seconds, 1'369'353'600);
  EXPECT_EQ(to_iso_basic(*time), "20130524T000000Z");
}

TEST(AwsDate, ReadsEveryZoneOfTheRfc1123Family) {
  const std::int64_t noon = parse_iso_basic("20260115T120000Z")->seconds;
  for (const std::string_view text :
       {"Thu, 15 Jan 2026 12:00:00 GMT", "Thu, 15 Jan 2026 12:00:00 UTC",
        "Thu, 15 Jan 2026 12:00:00 +0000", " Thu, 15 Jan 2026 12:00:00 -0000 ",
        "Thu, 15 Jan 2026 14:30:00 +0230", "Thu, 15 Jan 2026 04:00:00 -0800", "20260115T120000Z"}) {
    const auto time = parse_aws_date(text);
    ASSERT_TRUE(time) << text;
    EXPECT_EQ(time->seconds, noon) << text;
  }
}

TEST(AwsDate, RefusesWhatIsNoDate) {
  for (const std::string_view text :
       {"", " ", "now", "20130231T000000Z", "20130524T250000Z", "20130524t000000z",
        "2013-05-24T00:00:00Z", "Thu, 15 Jan 2026 12:00:00", "Thu, 15 Jan 2026 12:00:00 PST",
        "Thu, 15 Jan 2026 12:00:00 +00:0", "+0000", "2013052 T000000Z"}) {
    EXPECT_FALSE(parse_aws_date(text)) << text;
  }
}

}  // namespace
}  // namespace tarn::aws
