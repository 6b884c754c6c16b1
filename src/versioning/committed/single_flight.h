// One at a time per key: whoever comes second waits, and then finds what the first has done.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/context.h"
#include "base/task.h"
#include "io/sync.h"

namespace tarn::versioning {

/// Thread-safe. Keeps a gate per key in use, and none otherwise.
template <class Result>
class SingleFlight {
 public:
  struct Gate {
    io::Semaphore one{1};
    std::weak_ptr<const Result> result;  // of the flight before; guarded by `one`
  };

  /// Holds the key's gate while it lives. The gate outlives its permit.
  struct Turn {
    std::shared_ptr<Gate> gate;
    io::Semaphore::Permit permit;
  };

  Task<Turn> enter(Context& ctx, std::string key) {
    std::shared_ptr<Gate> gate = find(key);
    io::Semaphore::Permit permit = co_await gate->one.acquire(ctx);
    co_return Turn{std::move(gate), std::move(permit)};
  }

 private:
  std::shared_ptr<Gate> find(const std::string& key) {
    const std::scoped_lock lock(mutex_);
    std::weak_ptr<Gate>& slot = gates_[key];
    std::shared_ptr<Gate> gate = slot.lock();
    if (!gate) {
      gate = std::make_shared<Gate>();
      slot = gate;
      if (++made_ % kMadeBetweenSweeps == 0) {
        std::erase_if(gates_, [](const auto& entry) { return entry.second.expired(); });
      }
    }
    return gate;
  }

  static constexpr std::uint64_t kMadeBetweenSweeps = 256;

  std::mutex mutex_;
  std::unordered_map<std::string, std::weak_ptr<Gate>> gates_;
  std::uint64_t made_ = 0;
};

}  // namespace tarn::versioning
