#include "io/loops.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <pthread.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "base/error.h"

namespace tarn::io {

namespace {

struct Loop {
  boost::asio::io_context context{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{
      context.get_executor()};
  std::thread thread;
};

}  // namespace

struct Loops::Impl {
  std::vector<std::unique_ptr<Loop>> loops;
  mutable std::atomic<std::size_t> next = 0;
};

Loops::Loops(std::size_t threads) : impl_(std::make_unique<Impl>()) {
  TARN_ASSERT(threads > 0);
  for (std::size_t i = 0; i < threads; ++i) {
    Loop& loop = *impl_->loops.emplace_back(std::make_unique<Loop>());
    // An exception out of a handler is our own bug: noexcept ends the process with its text.
    loop.thread = std::thread([&loop]() noexcept { loop.context.run(); });
    ::pthread_setname_np(loop.thread.native_handle(), ("loop-" + std::to_string(i)).c_str());
  }
}

Loops::~Loops() {
  for (const auto& loop : impl_->loops)
    loop->context.stop();
  for (const auto& loop : impl_->loops)
    loop->thread.join();
}

std::size_t Loops::size() const {
  return impl_->loops.size();
}

boost::asio::any_io_executor Loops::executor(std::size_t index) const {
  return impl_->loops.at(index)->context.get_executor();
}

boost::asio::any_io_executor Loops::any() const {
  return executor(impl_->next.fetch_add(1, std::memory_order_relaxed) % size());
}

}  // namespace tarn::io
