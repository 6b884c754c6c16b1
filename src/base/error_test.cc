#include "base/error.h"

#include <set>

#include <gtest/gtest.h>

#include "base/context.h"

namespace tarn {
namespace {

using namespace std::chrono_literals;

TEST(ErrorCode, HasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(ErrorCode::internal); ++i) {
    EXPECT_TRUE(names.insert(to_string(static_cast<ErrorCode>(i))).second) << i;
  }
}

TEST(Error, RemembersWhereItWasMade) {
  const Error error(ErrorCode::conflict, "text");
  EXPECT_STREQ(error.what(), "text");
  EXPECT_EQ(error.where().line(), static_cast<unsigned>(__LINE__ - 2));
}

TEST(AssertDeathTest, NamesTheExpression) {
  EXPECT_DEATH(TARN_ASSERT(1 + 1 == 3), "assertion failed: 1 \\+ 1 == 3");
}

TEST(Context, NeverDerivesALongerDeadline) {
  const auto soon = Context::SteadyClock::now() + 1s;
  const Context parent(soon, "id");
  EXPECT_EQ(parent.within(1h).deadline(), soon);
  EXPECT_LT(parent.within(1ms).deadline(), soon);
  EXPECT_EQ(parent.within(1ms).request_id(), "id");
  EXPECT_LT(Context().within(1h).deadline(), Context::kNoDeadline);
}

TEST(Context, ThrowsOnceItsDeadlineHasPassed) {
  EXPECT_NO_THROW(Context().check_deadline());
  EXPECT_FALSE(Context().expired());
  const Context past(Context::SteadyClock::now() - 1s);
  EXPECT_TRUE(past.expired());
  EXPECT_THROW(past.check_deadline(), Error);
}

}  // namespace
}  // namespace tarn
