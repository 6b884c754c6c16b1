// What the engine did and what the model says it should: keys of both, and the comparison.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/error.h"
#include "base/task.h"
#include "versioning/model_driver_test_support.h"

namespace tarn::versioning::model {

inline constexpr std::uint32_t kKeys = 96;
inline constexpr std::uint32_t kFolders = 7;

std::string key_of(std::uint32_t pick);

/// These throw Mismatch.
void expect(bool condition, const std::string& text);
void expect_outcome(const std::optional<ErrorCode>& seen, const std::optional<ErrorCode>& wanted,
                    std::string_view what);
void expect_same(const Rows& seen, const Rows& wanted, std::string_view what);

template <class T>
struct Answer {
  std::optional<ErrorCode> error;
  std::optional<T> value;
};

struct Nothing {};

template <class T>
Task<Answer<std::conditional_t<std::is_void_v<T>, Nothing, T>>> attempt(Task<T> task) {
  Answer<std::conditional_t<std::is_void_v<T>, Nothing, T>> answer;
  try {
    if constexpr (std::is_void_v<T>) {
      co_await std::move(task);
      answer.value.emplace();
    } else {
      answer.value.emplace(co_await std::move(task));
    }
  } catch (const Error& error) {
    answer.error = error.code();
  }
  co_return answer;
}

}  // namespace tarn::versioning::model
