#include "io/task_group.h"

#include <exception>
#include <mutex>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>

#include "base/error.h"
#include "base/log.h"
#include "io/await_callback.h"

namespace tarn::io {

namespace asio = boost::asio;

namespace {

/// One running task. But for the first two, members belong to the executor's thread.
struct Entry {
  Entry(asio::any_io_executor on, std::string_view called)
      : executor(std::move(on)), name(called) {}

  const asio::any_io_executor executor;
  const std::string name;
  asio::cancellation_signal signal;
  bool started = false;
  bool cancelled = false;
  bool ended = false;

  // A cancellation may overtake the start, which was posted from another thread.
  void cancel() {
    cancelled = true;
    if (started && !ended) signal.emit(asio::cancellation_type::terminal);
  }
};

void log_escaped(std::string_view name, const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const Error& e) {
    if (e.code() == ErrorCode::cancelled) return;
    log::error("task failed",
               {{"task", name}, {"code", to_string(e.code())}, {"error", e.message()}});
  } catch (const boost::system::system_error& e) {
    if (e.code() == asio::error::operation_aborted) return;
    log::error("task failed", {{"task", name}, {"error", e.what()}});
  } catch (const std::exception& e) {
    log::error("task failed", {{"task", name}, {"error", e.what()}});
  } catch (...) {
    log::error("task failed", {{"task", name}, {"error", "unknown exception"}});
  }
}

}  // namespace

struct TaskGroup::State {
  std::mutex mutex;
  bool stopping = false;
  std::unordered_set<std::shared_ptr<Entry>> entries;
  std::vector<Callback<char>> joiners;

  void stop_when_empty(Callback<char> joined) {
    {
      const std::scoped_lock lock(mutex);
      stopping = true;
      if (!entries.empty()) {
        joiners.push_back(std::move(joined));
        return;
      }
    }
    joined(nullptr, 0);
  }

  void ended(const std::shared_ptr<Entry>& entry) {
    std::vector<Callback<char>> wake;
    {
      const std::scoped_lock lock(mutex);
      entries.erase(entry);
      if (entries.empty()) wake = std::exchange(joiners, {});
    }
    for (auto& joined : wake)
      joined(nullptr, 0);
  }
};

TaskGroup::TaskGroup() : state_(std::make_shared<State>()) {}

TaskGroup::~TaskGroup() {
  TARN_ASSERT(size() == 0);
}

bool TaskGroup::spawn(asio::any_io_executor executor, std::string_view name, Task<> task) {
  auto entry = std::make_shared<Entry>(std::move(executor), name);
  {
    const std::scoped_lock lock(state_->mutex);
    if (state_->stopping) return false;
    state_->entries.insert(entry);
  }
  // Started on its own executor, so that the signal is only ever touched there.
  asio::post(entry->executor, [state = state_, entry, work = std::move(task)]() mutable {
    entry->started = true;
    auto on_end = [state, entry](const std::exception_ptr& error) {
      entry->ended = true;
      if (error) log_escaped(entry->name, error);
      state->ended(entry);
    };
    asio::co_spawn(entry->executor, std::move(work),
                   asio::bind_cancellation_slot(entry->signal.slot(), std::move(on_end)));
    if (entry->cancelled) entry->cancel();
  });
  return true;
}

void TaskGroup::cancel() {
  std::vector<std::shared_ptr<Entry>> running;
  {
    const std::scoped_lock lock(state_->mutex);
    state_->stopping = true;
    running.assign(state_->entries.begin(), state_->entries.end());
  }
  for (auto& entry : running) {
    const asio::any_io_executor executor = entry->executor;
    asio::post(executor, [one = std::move(entry)] { one->cancel(); });
  }
}

Task<> TaskGroup::join() {
  co_await await_callback<char>(
      [state = state_](Callback<char> done) { state->stop_when_empty(std::move(done)); });
}

std::size_t TaskGroup::size() const {
  const std::scoped_lock lock(state_->mutex);
  return state_->entries.size();
}

}  // namespace tarn::io
