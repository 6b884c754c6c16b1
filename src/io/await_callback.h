// The bridge from callbacks and other threads into coroutines: everything in io/ that waits
// (pools, locks, the KV writer) is built on it.
#pragma once

#include <exception>
#include <functional>
#include <utility>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/task.h"

namespace tarn::io {

/// Call exactly once, from any thread, with the result or with an exception. The waiter resumes on
/// its own executor, never inside the call.
template <class T>
using Callback = std::move_only_function<void(std::exception_ptr, T)>;

/// Starts an operation and suspends until its callback is called. `start(Callback<T>)` runs at
/// once on the caller's thread, owns everything it needs later, and must not throw: what can fail
/// fails before, or through the callback. Not cancellable: the operation must end by itself. T must
/// be default-constructible.
template <class T, class Start>
Task<T> await_callback(Start start) {
  co_return co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>,
                                                 void(std::exception_ptr, T)>(
      // NOLINTNEXTLINE(performance-unnecessary-value-param): `begin` may change itself
      [](auto handler, Start begin) {
        auto executor = boost::asio::get_associated_executor(handler);
        begin(Callback<T>(
            [executor, h = std::move(handler)](std::exception_ptr error, T value) mutable {
              boost::asio::post(executor, [h = std::move(h), error = std::move(error),
                                           value = std::move(value)]() mutable {
                std::move(h)(std::move(error), std::move(value));
              });
            }));
      },
      boost::asio::use_awaitable, std::move(start));
}

}  // namespace tarn::io
