#include "versioning/branch_turns.h"

#include <exception>
#include <utility>

namespace tarn::versioning {

BranchTurns::Turn::~Turn() {
  if (queue_ == nullptr) return;  // moved from
  permit_ = {};
  owner_->leave(name_, std::move(queue_));
}

Task<BranchTurns::Turn> BranchTurns::take(Context& ctx, std::string name) {
  std::shared_ptr<io::Semaphore> queue;
  {
    const std::lock_guard lock(mutex_);
    auto& slot = queues_[name];
    if (slot == nullptr) slot = std::make_shared<io::Semaphore>(1);
    queue = slot;
  }
  std::exception_ptr error;
  try {
    auto permit = co_await queue->acquire(ctx);
    co_return Turn(*this, std::move(name), std::move(queue), std::move(permit));
  } catch (...) {
    error = std::current_exception();
  }
  leave(name, std::move(queue));
  std::rethrow_exception(error);
}

void BranchTurns::leave(const std::string& name, std::shared_ptr<io::Semaphore> queue) {
  const std::lock_guard lock(mutex_);
  // Copies are only made under the mutex: two are left when nobody else is in line.
  if (queue.use_count() == 2) queues_.erase(name);
}

std::size_t BranchTurns::size() const {
  const std::lock_guard lock(mutex_);
  return queues_.size();
}

}  // namespace tarn::versioning
