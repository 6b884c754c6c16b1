#include "rest/byte_range.h"

#include <string>

#include <gtest/gtest.h>

#include "base/format.h"

namespace tarn::rest {
namespace {

struct RangeCase {
  std::string_view header;
  std::uint64_t size;
  std::string_view expected;
};

std::string shown(std::string_view header, std::uint64_t size) {
  const auto range = parse_range(header, size);
  if (range) return format("{}-{}", range->first, range->last);
  return range.error() == RangeError::malformed ? "malformed" : "unsatisfiable";
}

TEST(ParseRange, TakesOneRangeOfEveryForm) {
  for (const auto& [header, size, expected] :
       std::initializer_list<RangeCase>{{"bytes=0-0", 10, "0-0"},
                                        {"bytes=2-5", 10, "2-5"},
                                        {"bytes=2-", 10, "2-9"},
                                        {"bytes=-3", 10, "7-9"},
                                        {"bytes=0-99999999999999999999999", 10, "0-9"},
                                        {"bytes=-99999999999999999999999", 10, "0-9"},
                                        {"bytes=10-", 10, "unsatisfiable"},
                                        {"bytes=99999999999999999999999-", 10, "unsatisfiable"},
                                        {"bytes=-0", 10, "unsatisfiable"},
                                        {"bytes=0-1", 0, "unsatisfiable"},
                                        {"bytes=-1", 0, "unsatisfiable"},
                                        {"bytes=5-4", 10, "malformed"},
                                        {"bytes=0-1,3-4", 10, "malformed"},
                                        {"bytes=-", 10, "malformed"},
                                        {"bytes=1", 10, "malformed"},
                                        {"bytes= 1-2", 10, "malformed"},
                                        {"items=0-1", 10, "malformed"},
                                        {"", 10, "malformed"}}) {
    EXPECT_EQ(shown(header, size), expected) << header << " of " << size;
  }
}

}  // namespace
}  // namespace tarn::rest
