#include "block/s3/checked_body.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/error.h"
#include "block/testing/bodies.h"
#include "testing/co_test.h"

namespace tarn::block::s3 {
namespace {

using testing::PiecesSource;

CO_TEST(CheckedBody, HoldsTheLastPieceUntilTheWholeIsAccepted) {
  PiecesSource body({"one", "two"}, true);
  Digests digests;
  bool accepted = false;
  const PutOptions options{.digests = &digests, .accept = [&] { accepted = true; }};
  CheckedBody checked(body, options);
  EXPECT_EQ(co_await checked.read(ctx), "one");
  EXPECT_FALSE(accepted);
  EXPECT_EQ(co_await checked.read(ctx), "two");
  EXPECT_TRUE(accepted);
  EXPECT_EQ(co_await checked.read(ctx), "");
  EXPECT_EQ(to_hex(checked.md5()), to_hex(md5("onetwo")));
  EXPECT_EQ(digests.values().size, 6u);
}

CO_TEST(CheckedBody, NeverHandsOutTheEndOfARefusedBody) {
  PiecesSource body({"one", "two"}, true);
  const PutOptions options{.accept = [] { throw Error(ErrorCode::precondition_failed, "no"); }};
  CheckedBody checked(body, options);
  EXPECT_EQ(co_await checked.read(ctx), "one");
  CO_EXPECT_ERROR(checked.read(ctx), ErrorCode::precondition_failed);
}

CO_TEST(BodyCutter, CutsAtTheAskedSizesAndKnowsTheEnd) {
  PiecesSource body({"ab", "cdefg", "h"});
  const PutOptions options;
  BodyCutter cutter(body, options);
  EXPECT_EQ(co_await cutter.next(ctx, 3), "abc");
  EXPECT_EQ(co_await cutter.next(ctx, 3), "def");
  EXPECT_FALSE(cutter.ended());
  EXPECT_EQ(co_await cutter.next(ctx, 2), "gh");
  EXPECT_TRUE(cutter.ended());
  EXPECT_EQ(cutter.bytes(), 8u);
}

CO_TEST(BodyCutter, RefusesMoreThanItMay) {
  PiecesSource body({"abc", "de"});
  const PutOptions options{.bytes_max = 4};
  BodyCutter cutter(body, options);
  CO_EXPECT_ERROR(cutter.next(ctx, 10), ErrorCode::too_large);
}

}  // namespace
}  // namespace tarn::block::s3
