#include "kv/testing/faulty_store.h"

#include <string>
#include <vector>

#include "kv/mem/mem_store.h"
#include "testing/co_test.h"

namespace tarn::kv::testing {
namespace {

std::vector<Op> two_sets() {
  std::vector<Op> ops;
  ops.push_back(Op::set("p", "a", "1"));
  ops.push_back(Op::set("p", "b", "2"));
  return ops;
}

CO_TEST(FaultyStore, FailsTheNthCallOnceAndOnlyThat) {
  MemStore inner;
  FaultyStore store(inner);
  store.fail_nth(2, Fault::before);
  co_await store.set(ctx, "p", "a", "1");
  CO_EXPECT_ERROR(store.set(ctx, "p", "b", "2"), ErrorCode::unavailable);
  co_await store.set(ctx, "p", "c", "3");
  EXPECT_EQ(co_await inner.get(ctx, "p", "b"), std::nullopt);
  EXPECT_EQ(store.calls(), 3u);
  EXPECT_EQ(store.failures(), 1u);
}

CO_TEST(FaultyStore, FaultDecidesHowMuchHappened) {
  struct Case {
    Fault fault;
    bool first;
    bool second;
  };

  for (const Case& c : {Case{Fault::before, false, false}, Case{Fault::midway, true, false},
                        Case{Fault::after, true, true}}) {
    MemStore inner;
    FaultyStore store(inner);
    store.fail_nth(1, c.fault, ErrorCode::throttled);
    CO_EXPECT_ERROR(store.run(ctx, two_sets()), ErrorCode::throttled);
    EXPECT_EQ((co_await inner.get(ctx, "p", "a")).has_value(), c.first);
    EXPECT_EQ((co_await inner.get(ctx, "p", "b")).has_value(), c.second);
  }
}

CO_TEST(FaultyStore, FailsReadsAndPagesToo) {
  MemStore inner;
  FaultyStore store(inner);
  co_await store.run(ctx, two_sets());
  store.fail_nth(1, Fault::after);
  CO_EXPECT_ERROR(store.get(ctx, "p", "a"), ErrorCode::unavailable);
  store.fail_nth(1, Fault::before);
  auto cursor = store.scan("p", {});
  CO_EXPECT_ERROR(cursor->fill(ctx), ErrorCode::unavailable);
  EXPECT_TRUE(co_await cursor->fill(ctx));
}

Task<std::string> failure_pattern(Context& ctx, std::uint64_t seed) {
  MemStore inner;
  FaultyStore store(inner);
  store.fail_randomly(seed, 3);
  std::string pattern;
  for (int i = 0; i < 60; ++i) {
    char outcome = '.';
    try {
      co_await store.set(ctx, "p", std::to_string(i), "v");
    } catch (const Error&) {
      outcome = 'x';
    }
    pattern += outcome;
  }
  co_return pattern;
}

CO_TEST(FaultyStore, SeedRepeatsItsFailures) {
  const std::string once = co_await failure_pattern(ctx, 1);
  EXPECT_EQ(co_await failure_pattern(ctx, 1), once);
  EXPECT_NE(co_await failure_pattern(ctx, 2), once);
  EXPECT_NE(once.find('x'), std::string::npos);
  EXPECT_NE(once.find('.'), std::string::npos);
}

}  // namespace
}  // namespace tarn::kv::testing
