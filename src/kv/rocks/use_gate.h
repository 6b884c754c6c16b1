// Counts who is using something, and lets the owner wait until nobody is. One atomic operation to
// enter and one to leave, so it can guard every read.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>

namespace tarn::kv {

/// Thread-safe. Must outlive its Uses, and does once close() has returned.
class UseGate {
 public:
  class Use {
   public:
    explicit Use(UseGate& gate) : gate_(&gate) {}

    Use(Use&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}

    Use& operator=(Use&&) = delete;

    ~Use() {
      if (gate_) gate_->leave();
    }

   private:
    UseGate* gate_;
  };

  /// nullopt once closing.
  std::optional<Use> enter() {
    const std::uint64_t before = state_.fetch_add(kOne);
    if ((before & kClosing) == 0) return std::optional<Use>(std::in_place, *this);
    leave();
    return std::nullopt;
  }

  /// Lets nobody in any more and blocks until the last Use is gone. Idempotent.
  void close() {
    if (state_.fetch_or(kClosing) < kOne) signal_empty();
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return empty_; });
  }

 private:
  static constexpr std::uint64_t kClosing = 1;  // the lowest bit; the count stands above it
  static constexpr std::uint64_t kOne = 2;

  void leave() {
    // Only the last one out touches the gate after this, and close() waits for its signal.
    if (state_.fetch_sub(kOne) == (kOne | kClosing)) signal_empty();
  }

  void signal_empty() {
    std::lock_guard lock(mutex_);
    empty_ = true;
    changed_.notify_all();
  }

  std::atomic<std::uint64_t> state_{0};
  std::mutex mutex_;
  std::condition_variable changed_;
  bool empty_ = false;  // guarded by mutex_
};

}  // namespace tarn::kv
