// The coroutine type of the whole server: lazy, runs on the executor that awaits it.
#pragma once

#include <boost/asio/awaitable.hpp>

namespace tarn {

template <class T = void>
using Task = boost::asio::awaitable<T>;

}  // namespace tarn
