#include "app/config_values.h"

#include <gtest/gtest.h>

namespace tarn::app {
namespace {

using std::chrono::milliseconds;

TEST(ConfigValues, ReadsDurationsAsGoWritesThem) {
  EXPECT_EQ(parse_duration("500ms"), milliseconds(500));
  EXPECT_EQ(parse_duration("1h30m"), milliseconds(5'400'000));
  EXPECT_EQ(parse_duration("2.5s"), milliseconds(2'500));
  EXPECT_EQ(parse_duration("0"), milliseconds(0));
  EXPECT_EQ(parse_duration("1m1s"), milliseconds(61'000));
  for (const char* text : {"", "5", "s", "-1s", "1 s", "1d", "1h-5m", "nan s", "infs", "9e99h"}) {
    EXPECT_FALSE(parse_duration(text).has_value()) << text;
  }
}

TEST(ConfigValues, ReadsSizesWithAndWithoutUnits) {
  EXPECT_EQ(parse_size("20971520"), 20'971'520U);
  EXPECT_EQ(parse_size("64MiB"), 64ULL << 20);
  EXPECT_EQ(parse_size("1 GiB"), 1ULL << 30);
  EXPECT_EQ(parse_size("3MB"), 3'000'000U);
  for (const char* text : {"", "-1", "MiB", "1XB", "99999999999999999999", "20000000000000TiB"}) {
    EXPECT_FALSE(parse_size(text).has_value()) << text;
  }
}

TEST(ConfigValues, ReadsBooleansAndLists) {
  EXPECT_EQ(parse_bool("True"), true);
  EXPECT_EQ(parse_bool("0"), false);
  EXPECT_FALSE(parse_bool("yes").has_value());
  EXPECT_EQ(parse_list(" a, b ,,c"), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_TRUE(parse_list("").empty());
}

}  // namespace
}  // namespace tarn::app
