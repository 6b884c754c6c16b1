#include "base/time.h"

#include <gtest/gtest.h>

namespace tarn {
namespace {

constexpr std::int64_t kYearOne = -62'135'596'800;
constexpr std::int64_t kRfcExample = 784'111'777;  // RFC 9110's Sun, 06 Nov 1994 08:49:37 GMT

TEST(Rfc3339, PrintsWithoutTrailingZerosOfTheFraction) {
  EXPECT_EQ(to_rfc3339({0, 0}), "1970-01-01T00:00:00Z");
  EXPECT_EQ(to_rfc3339({1'795'255'200, 0}), "2026-11-21T10:00:00Z");
  EXPECT_EQ(to_rfc3339({0, 120'000'000}), "1970-01-01T00:00:00.12Z");
  EXPECT_EQ(to_rfc3339({0, 1}), "1970-01-01T00:00:00.000000001Z");
}

TEST(Rfc3339, ReachesYearOneAndBack) {
  EXPECT_EQ(to_rfc3339({kYearOne, 0}), "0001-01-01T00:00:00Z");
  EXPECT_EQ(parse_rfc3339("0001-01-01T00:00:00Z"), (Timestamp{kYearOne, 0}));
  EXPECT_EQ(to_rfc3339({-1, 999'000'000}), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(parse_rfc3339("1969-12-31T23:59:59.999Z"), (Timestamp{-1, 999'000'000}));
}

TEST(Rfc3339, ParsesOffsetsLowerCaseAndLongFractions) {
  EXPECT_EQ(parse_rfc3339("1970-01-01T02:00:00+02:00"), (Timestamp{0, 0}));
  EXPECT_EQ(parse_rfc3339("1969-12-31T22:30:00-01:30"), (Timestamp{0, 0}));
  EXPECT_EQ(parse_rfc3339("1970-01-01t00:00:00z"), (Timestamp{0, 0}));
  EXPECT_EQ(parse_rfc3339("1970-01-01T00:00:00.1234567891Z"), (Timestamp{0, 123'456'789}));
}

TEST(Rfc3339, KnowsLeapYears) {
  EXPECT_TRUE(parse_rfc3339("2000-02-29T00:00:00Z"));
  EXPECT_TRUE(parse_rfc3339("2024-02-29T00:00:00Z"));
  EXPECT_FALSE(parse_rfc3339("1900-02-29T00:00:00Z"));
  EXPECT_FALSE(parse_rfc3339("2023-02-29T00:00:00Z"));
}

TEST(Rfc3339, RejectsWhatIsNotATime) {
  for (const char* text :
       {"", "2026", "2026-11-21", "2026-11-21T10:00:00", "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z", "2026-04-31T00:00:00Z", "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z", "2026-01-01T00:00:61Z", "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00+2:00", "2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00Zx",
        "-026-01-01T00:00:00Z", "2026-01-01T00:00:00+02:00Z", "2026-1-01T00:00:00Z",
        "20260101T000000Z", "2026-01-01T+0:00:00Z"}) {
    EXPECT_FALSE(parse_rfc3339(text)) << text;
  }
}

TEST(Rfc3339, RoundTripsEveryMonthOfFourCenturies) {
  for (std::int64_t seconds = kYearOne; seconds < kYearOne + 146'097LL * 86'400;
       seconds += 30LL * 86'400 + 12'345) {
    ASSERT_EQ(parse_rfc3339(to_rfc3339({seconds, 7})), (Timestamp{seconds, 7}));
  }
}

TEST(HttpDate, PrintsImfFixdate) {
  EXPECT_EQ(to_http_date({kRfcExample, 999}), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(to_http_date({kYearOne, 0}), "Mon, 01 Jan 0001 00:00:00 GMT");
}

TEST(HttpDate, ParsesTheThreeFormsOfRfc9110) {
  for (const char* text : {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
                           "Sun Nov  6 08:49:37 1994"}) {
    EXPECT_EQ(parse_http_date(text), (Timestamp{kRfcExample, 0})) << text;
  }
  EXPECT_EQ(parse_http_date("Wed Nov 16 08:49:37 1994"), (Timestamp{kRfcExample + 864'000, 0}));
}

TEST(HttpDate, PutsTwoDigitYearsBelowSeventyInThisCentury) {
  EXPECT_EQ(to_rfc3339(*parse_http_date("Thursday, 01-Jan-26 00:00:00 GMT")),
            "2026-01-01T00:00:00Z");
  EXPECT_EQ(to_rfc3339(*parse_http_date("Thursday, 01-Jan-70 00:00:00 GMT")),
            "1970-01-01T00:00:00Z");
}

TEST(HttpDate, RejectsWhatIsNotADate) {
  for (const char* text : {"", ",", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC",
                           "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 31 Feb 1994 08:49:37 GMT",
                           "Sun, 06 nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 25:49:37 GMT",
                           "Sunday", "Xyz, 06 Nov 1994 08:49:37 GMT", "Sun, 06-Nov-94 08:49:37 GMT",
                           "Sun Nov 6 08:49:37 1994", "Sun, 06 Nov 1994 08:49:37 GMT "}) {
    EXPECT_FALSE(parse_http_date(text)) << text;
  }
}

TEST(S3Time, HasThreeDigitsOfMilliseconds) {
  EXPECT_EQ(to_s3_time({0, 0}), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(to_s3_time({0, 1'999'999}), "1970-01-01T00:00:00.001Z");
}

TEST(SystemClock, RunsAfterThisWasWritten) {
  const Timestamp now = SystemClock().now();
  EXPECT_GT(now.seconds, 1'700'000'000);
  EXPECT_GE(now.nanos, 0);
  EXPECT_LT(now.nanos, 1'000'000'000);
}

}  // namespace
}  // namespace tarn
