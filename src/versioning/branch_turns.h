// One queue per branch for the operations that move its head (commit, merge, revert, ...): they
// wait for each other here instead of losing compare-and-sets against each other.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "base/context.h"
#include "base/task.h"
#include "io/sync.h"

namespace tarn::versioning {

/// Thread-safe. Only a courtesy inside this process: across servers the compare-and-set decides.
class BranchTurns {
 public:
  /// Held while the operation runs. Must not outlive its BranchTurns.
  class Turn {
   public:
    Turn(Turn&&) noexcept = default;
    Turn& operator=(Turn&&) = delete;
    ~Turn();

   private:
    friend class BranchTurns;

    Turn(BranchTurns& owner, std::string name, std::shared_ptr<io::Semaphore> queue,
         io::Semaphore::Permit permit)
        : owner_(&owner),
          name_(std::move(name)),
          queue_(std::move(queue)),
          permit_(std::move(permit)) {}

    BranchTurns* owner_;
    std::string name_;
    std::shared_ptr<io::Semaphore> queue_;  // shared with those who wait
    io::Semaphore::Permit permit_;
  };

  /// Waits in line for the branch; `name` is unique over all repositories.
  /// Error{deadline_exceeded}.
  Task<Turn> take(Context& ctx, std::string name);

  /// Branches somebody holds or waits for.
  std::size_t size() const;

 private:
  void leave(const std::string& name, std::shared_ptr<io::Semaphore> queue);

  mutable std::mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<io::Semaphore>> queues_;
};

}  // namespace tarn::versioning
