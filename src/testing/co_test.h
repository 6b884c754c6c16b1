// Coroutine tests for GoogleTest. Each runs on an event loop of its own, on the test's thread,
// until its coroutine has ended:
//
//   CO_TEST(MemStore, ForgetsErasedKeys) {
//     MemStore store;
//     co_await store.set(ctx, "repo", "main", "v1");
//     CO_ASSERT_TRUE(co_await store.get(ctx, "repo", "main"));
//     CO_EXPECT_ERROR(store.get(ctx, "repo", ""), tarn::ErrorCode::invalid_argument);
//   }
//
// The body is a free coroutine with a parameter `Context& ctx`; in CO_TEST_F and CO_TEST_P it also
// has `Fixture& self`, whose members must be public. EXPECT_* work as they are. ASSERT_* contain a
// `return`, which a coroutine may not: use CO_ASSERT_*. A test that has not ended after two minutes
// fails; so does one an exception escapes from.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <gtest/gtest.h>

#include "base/context.h"
#include "base/error.h"
#include "base/task.h"

namespace tarn::testing {

namespace detail {

/// Runs the coroutine on a fresh loop and rethrows what escapes it. The context it is given expires
/// with the watchdog, which throws Error{deadline_exceeded}.
void run_to_end(const std::function<Task<>(Context&)>& body);

/// As above, but turns what escapes into a failure of the current test.
void run_co_test(const std::function<Task<>(Context&)>& body);

/// Records a failure unless `seen` is `expected`; nullopt stands for "nothing was thrown".
void expect_error(const char* file, int line, const char* expression, ErrorCode expected,
                  std::optional<ErrorCode> seen, const std::string& message);

template <class F, class... Args>
using TaskResult = typename std::invoke_result_t<F&, Args...>::value_type;

template <class F, class T, class... Args>
Task<> store_result(F& function, std::optional<T>& result, Args&... args) {
  result.emplace(co_await function(args...));
}

template <class T, class F, class... Args>
Task<> store_or_run(F& function, std::optional<std::conditional_t<std::is_void_v<T>, char, T>>& out,
                    Args&... args) {
  if constexpr (std::is_void_v<T>) {
    return function(args...);
  } else {
    return store_result(function, out, args...);
  }
}

template <class T, class F, bool kTakesContext>
T run_function(F& function) {
  std::optional<std::conditional_t<std::is_void_v<T>, char, T>> result;
  run_to_end([&](Context& ctx) {
    if constexpr (kTakesContext) {
      return store_or_run<T>(function, result, ctx);
    } else {
      static_cast<void>(ctx);
      return store_or_run<T>(function, result);
    }
  });
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

}  // namespace detail

/// For plain tests: runs the Task that `function()` or `function(Context&)` returns to its end on
/// a fresh loop and returns its value. Rethrows what it throws.
template <class F>
auto run_co(F function) {
  if constexpr (std::is_invocable_v<F&, Context&>) {
    return detail::run_function<detail::TaskResult<F, Context&>, F, true>(function);
  } else {
    return detail::run_function<detail::TaskResult<F>, F, false>(function);
  }
}

}  // namespace tarn::testing

#define CO_TEST(suite, name)                                         \
  static ::tarn::Task<> suite##_##name##_Body(::tarn::Context& ctx); \
  TEST(suite, name) {                                                \
    ::tarn::testing::detail::run_co_test(&suite##_##name##_Body);    \
  }                                                                  \
  static ::tarn::Task<> suite##_##name##_Body([[maybe_unused]] ::tarn::Context& ctx)

// NOLINTBEGIN(bugprone-macro-parentheses): parameters that are types and names
#define TARN_CO_TEST_WITH(test_macro, fixture, name)                                   \
  static ::tarn::Task<> fixture##_##name##_Body(fixture& self, ::tarn::Context& ctx);  \
  test_macro(fixture, name) {                                                          \
    ::tarn::testing::detail::run_co_test(                                              \
        [this](::tarn::Context& ctx) { return fixture##_##name##_Body(*this, ctx); }); \
  }                                                                                    \
  static ::tarn::Task<> fixture##_##name##_Body([[maybe_unused]] fixture& self,        \
                                                [[maybe_unused]] ::tarn::Context& ctx)

// NOLINTEND(bugprone-macro-parentheses)

#define CO_TEST_F(fixture, name) TARN_CO_TEST_WITH(TEST_F, fixture, name)
#define CO_TEST_P(fixture, name) TARN_CO_TEST_WITH(TEST_P, fixture, name)

// Like gtest's own: a streamed message may follow. co_return accepts the void it ends in.
#define TARN_CO_ASSERT(result)                                        \
  if (const ::testing::AssertionResult tarn_result = (result))        \
    static_cast<void>(0);                                             \
  else                                                                \
    co_return ::testing::internal::AssertHelper(                      \
        ::testing::TestPartResult::kFatalFailure, __FILE__, __LINE__, \
        tarn_result.failure_message()) = ::testing::Message()

#define TARN_CO_CHECK(condition, text)                       \
  TARN_CO_ASSERT((condition) ? ::testing::AssertionSuccess() \
                             : ::testing::AssertionFailure() << "not so: " << (text))

#define CO_ASSERT_TRUE(condition) TARN_CO_CHECK(static_cast<bool>(condition), #condition)
#define CO_ASSERT_FALSE(condition) TARN_CO_CHECK(!static_cast<bool>(condition), "!(" #condition ")")
#define CO_ASSERT_EQ(a, b) TARN_CO_ASSERT(::testing::internal::EqHelper::Compare(#a, #b, a, b))
#define CO_ASSERT_NE(a, b) TARN_CO_ASSERT(::testing::internal::CmpHelperNE(#a, #b, a, b))
#define CO_ASSERT_GE(a, b) TARN_CO_ASSERT(::testing::internal::CmpHelperGE(#a, #b, a, b))

/// Awaits `awaitable` and expects it to throw tarn::Error with `expected`.
#define CO_EXPECT_ERROR(awaitable, expected)                                                   \
  do {                                                                                         \
    ::std::optional<::tarn::ErrorCode> tarn_seen;                                              \
    ::std::string tarn_message;                                                                \
    try {                                                                                      \
      static_cast<void>(co_await (awaitable));                                                 \
    } catch (const ::tarn::Error& tarn_error) {                                                \
      tarn_seen = tarn_error.code();                                                           \
      tarn_message = tarn_error.message();                                                     \
    }                                                                                          \
    ::tarn::testing::detail::expect_error(__FILE__, __LINE__, #awaitable, expected, tarn_seen, \
                                          tarn_message);                                       \
  } while (false)
