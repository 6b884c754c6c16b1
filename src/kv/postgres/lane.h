// The connections of one event loop and the calls that wait for them.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <deque>
#include <exception>
#include <memory>
#include <vector>

#include <boost/asio/any_io_executor.hpp>

#include "base/metrics.h"
#include "base/task.h"
#include "io/await_callback.h"
#include "io/blocking_pool.h"
#include "io/task_group.h"
#include "kv/postgres/groups.h"
#include "kv/postgres/jobs.h"
#include "kv/postgres/postgres_config.h"
#include "kv/postgres/session.h"

namespace tarn::kv {

/// Everything happens on `executor`, which one thread runs; submit() may be called from any.
class Lane final : private JobOwner {
 public:
  Lane(boost::asio::any_io_executor executor, const PostgresConfig& config,
       std::size_t connections_max, std::size_t idle_max, io::BlockingPool& pool,
       const std::atomic<bool>& stop, bool locks);
  ~Lane();  // after close()
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  /// Takes a connection that is already open.
  void adopt(PgConnection connection);

  void submit(std::shared_ptr<ReadJob> job);
  void submit(std::shared_ptr<RunJob> job);
  void submit(std::shared_ptr<QueryJob> job);

  const boost::asio::any_io_executor& executor() const { return executor_; }

  /// Refuses new work, waits for what is under way, ends the connections.
  Task<> close();

 private:
  using Clock = Context::SteadyClock;

  void settled(const Job& job) override;
  void again(std::shared_ptr<ReadJob> job) override;
  void again(std::shared_ptr<RunJob> job) override;
  void again(std::shared_ptr<QueryJob> job) override;

  template <class J>
  void on_lane(std::shared_ptr<J> job);
  template <class J>
  bool accept(J& job);
  template <class J>
  bool expire(std::deque<std::shared_ptr<J>>& queue, Clock::time_point now);

  void schedule();
  void dispatch();
  bool dispatch_one(Kind kind);
  Session* pick(Kind kind);
  std::size_t sessions_of(Kind kind) const;
  bool waiting(Kind kind) const;
  bool others_wait(Kind kind) const;
  std::vector<std::shared_ptr<ReadJob>> take_reads();
  std::vector<std::shared_ptr<RunJob>> take_runs();

  void add(PgConnection connection);
  void remove_ended();
  void retire_idle();
  void want_connection();
  Task<> connect();
  Task<> watch();
  bool watch_once(Clock::time_point now);
  void abandon(Session& session);
  void check_drained();
  /// Calls `done` once no dispatch() is on its way: after the last task, none will be.
  void when_still(io::Callback<char> done);

  const boost::asio::any_io_executor executor_;
  const PostgresConfig& config_;
  const std::size_t connections_max_;
  const std::size_t idle_max_;
  io::BlockingPool& pool_;
  const std::atomic<bool>& stop_;
  const bool locks_;  // writes take those of guard_locks()

  std::deque<std::shared_ptr<ReadJob>> reads_;
  std::deque<std::shared_ptr<RunJob>> runs_;
  std::deque<std::shared_ptr<QueryJob>> queries_;
  std::size_t unanswered_ = 0;
  std::size_t unanswered_bytes_ = 0;

  std::vector<std::shared_ptr<Session>> sessions_;
  bool connecting_ = false;
  Clock::time_point reachable_at_ = Clock::now();  // when a connection was last made or seen alive
  std::exception_ptr connect_error_;
  std::chrono::milliseconds back_off_{0};

  std::size_t turn_ = 0;  // which kind is served first
  bool scheduled_ = false;
  bool watching_ = false;
  bool closing_ = false;
  std::vector<io::Callback<char>> drained_;

  metrics::Gauge& connections_gauge_;
  metrics::Counter& round_trips_;
  io::TaskGroup tasks_;
};

}  // namespace tarn::kv
