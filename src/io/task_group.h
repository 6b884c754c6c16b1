// Owner of background coroutines: the only way to run one. Whoever spawns has a TaskGroup member
// and awaits stop() before destroying anything the tasks use.
#pragma once

#include <memory>
#include <string_view>

#include <boost/asio/any_io_executor.hpp>

#include "base/task.h"

namespace tarn::io {

/// Thread-safe: tasks may be spawned onto several executors.
class TaskGroup {
 public:
  TaskGroup();
  ~TaskGroup();  // asserts that no task is left
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  /// Starts `task` on `executor`; returns false, and drops the task, once stopping. An exception
  /// that escapes is logged once under `name` ("cancelled" is not). The task owns its arguments.
  bool spawn(boost::asio::any_io_executor executor, std::string_view name, Task<> task);

  /// Refuses new work and emits terminal cancellation to the tasks, each on its own executor.
  void cancel();
  /// Refuses new work and waits until the last task has ended. Call cancel() first to hurry them.
  Task<> join();

  std::size_t size() const;

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared with the running tasks' completion handlers
};

}  // namespace tarn::io
