// Counts the operations under way in a store, so that close() can refuse new ones and wait for
// the rest.
#pragma once

#include <memory>
#include <utility>

#include "base/task.h"

namespace tarn::block {

/// Thread-safe.
class Gate {
 public:
  /// Held for the length of one operation.
  class Pass {
   public:
    Pass(Pass&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}

    Pass& operator=(Pass&&) = delete;

    ~Pass() {
      if (gate_ != nullptr) gate_->leave();
    }

   private:
    friend class Gate;

    explicit Pass(Gate* gate) : gate_(gate) {}

    Gate* gate_;
  };

  Gate();
  ~Gate();
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  /// Throws Error{unavailable} once closed.
  [[nodiscard]] Pass enter();
  /// Refuses new operations, returns when the last one has left. Idempotent.
  Task<> close();

 private:
  void leave();
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tarn::block
