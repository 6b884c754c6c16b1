#include "testing/co_test.h"

#include <filesystem>
#include <fstream>
#include <stdexcept>

#include <gtest/gtest-spi.h>

#include "io/sync.h"
#include "testing/fake_clock.h"
#include "testing/temp_dir.h"

namespace tarn::testing {
namespace {

using namespace std::chrono_literals;

struct Counted : ::testing::Test {
  int value = 41;
};

struct Doubled : ::testing::TestWithParam<int> {};

Task<int> throw_corrupt() {
  co_await io::yield();
  throw Error(ErrorCode::corrupt, "bad");
}

Task<> do_nothing() {
  co_await io::yield();
}

Task<> fail_fatally(bool& went_on) {
  CO_ASSERT_EQ(1, 2) << "streamed";
  went_on = true;
}

Task<> expect_wrong_code() {
  CO_EXPECT_ERROR(throw_corrupt(), ErrorCode::conflict);
}

Task<> expect_throw_of_nothing() {
  CO_EXPECT_ERROR(do_nothing(), ErrorCode::conflict);
}

Task<> escape(Context& /*ctx*/) {
  co_await io::yield();
  throw Error(ErrorCode::conflict, "escaping text");
}

CO_TEST(CoTest, GivesAContextThatHasNotExpired) {
  co_await io::yield();
  EXPECT_FALSE(ctx.expired());
  EXPECT_NE(ctx.deadline(), Context::kNoDeadline);
}

CO_TEST(CoTest, ExpectsErrorsByCode) {
  CO_EXPECT_ERROR(throw_corrupt(), ErrorCode::corrupt);
}

CO_TEST_F(Counted, ReachesTheFixture) {
  co_await io::yield();
  EXPECT_EQ(++self.value, 42);
}

CO_TEST_P(Doubled, ReachesTheParameter) {
  co_await io::yield();
  EXPECT_EQ(self.GetParam() % 2, 0);
}

INSTANTIATE_TEST_SUITE_P(Even, Doubled, ::testing::Values(2, 4));

TEST(CoAssert, EndsTheCoroutineAndRecordsTheFailure) {
  static bool went_on = false;
  EXPECT_FATAL_FAILURE(run_co([] { return fail_fatally(went_on); }), "streamed");
  EXPECT_FALSE(went_on);
}

TEST(CoExpectError, FailsOnAnotherCodeAndOnNone) {
  EXPECT_NONFATAL_FAILURE(run_co(&expect_wrong_code), "Error{corrupt}: bad");
  EXPECT_NONFATAL_FAILURE(run_co(&expect_throw_of_nothing), "threw nothing");
}

TEST(CoTest, FailsWhenAnErrorEscapes) {
  EXPECT_NONFATAL_FAILURE(detail::run_co_test(&escape), "Error{conflict}: escaping text");
}

TEST(RunCo, ReturnsTheValueAndRethrows) {
  const auto seven = [](Context& /*ctx*/) -> Task<int> { co_return 7; };
  EXPECT_EQ(run_co(seven), 7);
  EXPECT_THROW(run_co(&throw_corrupt), Error);
}

TEST(FakeClock, AdvancesAcrossSecondsBothWays) {
  FakeClock clock({10, 900'000'000});
  clock.advance(200ms);
  EXPECT_EQ(clock.now(), (Timestamp{11, 100'000'000}));
  clock.advance(-200ms);
  EXPECT_EQ(clock.now(), (Timestamp{10, 900'000'000}));
  clock.advance(1h);
  EXPECT_EQ(clock.now(), (Timestamp{3'610, 900'000'000}));
  clock.set({1, 2});
  EXPECT_EQ(clock.now(), (Timestamp{1, 2}));
}

TEST(FakeClock, StartsWhereItsCommentSays) {
  EXPECT_EQ(to_rfc3339(FakeClock().now()), "2026-01-02T03:04:05Z");
}

TEST(TempDir, IsUniqueAndGoesWithItsContents) {
  std::filesystem::path path;
  {
    const TempDir one;
    const TempDir two;
    EXPECT_NE(one.path(), two.path());
    path = one.path();
    std::ofstream(one.file("x")) << "x";
    EXPECT_TRUE(std::filesystem::exists(path / "x"));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace tarn::testing
