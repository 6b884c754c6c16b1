#include "io/blocking_pool.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include <pthread.h>

#include "base/format.h"
#include "base/metrics.h"

namespace tarn::io {

struct BlockingPool::Impl {
  explicit Impl(Config c)
      : config(std::move(c)),
        jobs(metrics::gauge("tarn_io_pool_jobs", "Jobs queued or running.",
                            {{"pool", config.name}})),
        refused(metrics::counter("tarn_io_pool_refused_total", "Jobs refused by a full queue.",
                                 {{"pool", config.name}})) {}

  void work();

  const Config config;
  metrics::Gauge& jobs;
  metrics::Counter& refused;

  std::mutex mutex;
  std::condition_variable wake;
  std::deque<std::move_only_function<void()>> queue;
  std::size_t waiting = 0;  // places taken in the queue, filled or about to be
  std::size_t running = 0;
  bool stopping = false;

  std::vector<std::thread> threads;
};

void BlockingPool::Impl::work() {
  std::unique_lock lock(mutex);
  while (true) {
    wake.wait(lock, [&] { return !queue.empty() || (stopping && waiting == 0); });
    if (queue.empty()) return;
    std::move_only_function<void()> job = std::move(queue.front());
    queue.pop_front();
    --waiting;
    ++running;
    lock.unlock();
    job();
    job = nullptr;  // frees what the job owns before the job counts as done
    jobs.add(-1);
    lock.lock();
    --running;
  }
}

BlockingPool::BlockingPool(Config config) : impl_(std::make_unique<Impl>(std::move(config))) {
  TARN_ASSERT(impl_->config.threads > 0);
  for (std::size_t i = 0; i < impl_->config.threads; ++i) {
    impl_->threads.emplace_back([impl = impl_.get()]() noexcept { impl->work(); });
    const std::string name = format("{}-{}", impl_->config.name, i).substr(0, 15);
    ::pthread_setname_np(impl_->threads.back().native_handle(), name.c_str());
  }
}

BlockingPool::~BlockingPool() {
  {
    const std::scoped_lock lock(impl_->mutex);
    impl_->stopping = true;
  }
  impl_->wake.notify_all();
  for (std::thread& thread : impl_->threads)
    thread.join();
}

void BlockingPool::submit(std::move_only_function<void()> job) {
  reserve();
  push(std::move(job));
}

void BlockingPool::reserve() {
  {
    const std::scoped_lock lock(impl_->mutex);
    if (impl_->waiting < impl_->config.queue_max && !impl_->stopping) {
      ++impl_->waiting;
      impl_->jobs.add(1);
      return;
    }
  }
  impl_->refused.add();
  throw Error(ErrorCode::unavailable, "too busy, try again later");
}

void BlockingPool::push(std::move_only_function<void()> job) {
  {
    const std::scoped_lock lock(impl_->mutex);
    impl_->queue.push_back(std::move(job));
  }
  impl_->wake.notify_one();
}

std::size_t BlockingPool::load() const {
  const std::scoped_lock lock(impl_->mutex);
  return impl_->waiting + impl_->running;
}

}  // namespace tarn::io
