// From a thread that may block (main) into coroutines: start-up, shutdown and one-shot commands.
#pragma once

#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

#include "base/task.h"

namespace tarn::app {

/// Runs `task` on `executor`, another thread's, and blocks until it has ended; rethrows what it
/// throws. T must be default-constructible.
template <class T>
T wait_for(boost::asio::any_io_executor executor, Task<T> task) {
  return boost::asio::co_spawn(std::move(executor), std::move(task), boost::asio::use_future).get();
}

}  // namespace tarn::app
