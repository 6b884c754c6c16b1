// One event loop per I/O thread. A connection is accepted on a loop and never leaves it.
#pragma once

#include <cstddef>
#include <memory>

#include <boost/asio/any_io_executor.hpp>

namespace tarn::io {

class Loops {
 public:
  /// Starts `threads` loops, each an io_context of its own with concurrency hint 1.
  explicit Loops(std::size_t threads);
  /// Stops the loops and joins their threads; whoever uses them has drained before. Threads that
  /// resume coroutines here (a BlockingPool's) must have been joined too: declare loops first.
  ~Loops();
  Loops(const Loops&) = delete;
  Loops& operator=(const Loops&) = delete;

  std::size_t size() const;
  boost::asio::any_io_executor executor(std::size_t index) const;
  /// A loop picked in turn, for background work that belongs to none.
  boost::asio::any_io_executor any() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tarn::io
