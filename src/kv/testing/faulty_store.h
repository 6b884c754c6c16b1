// A store that fails on demand, for fault loops: fail the n-th call for every n, then look at what
// is left. Test code only.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/task.h"
#include "kv/store.h"

namespace tarn::kv::testing {

/// Where in a call the failure strikes. A write that throws may or may not have happened: callers
/// have to survive all three. Reads that fail never answer.
enum class Fault : std::uint8_t {
  before,  // nothing happened
  midway,  // the first half of run()'s steps happened
  after,   // everything happened, the answer is lost
};

/// Forwards to `inner`, which must outlive it. A call is one get, get_many, run, read_rows, or
/// fill of a cursor. Thread-safe.
class FaultyStore final : public Store {
 public:
  explicit FaultyStore(Store& inner) : inner_(inner) {}

  /// The n-th call from now on (1 = the next) fails, once.
  void fail_nth(std::uint64_t n, Fault fault, ErrorCode code = ErrorCode::unavailable) {
    std::lock_guard lock(mutex_);
    countdown_ = n;
    fault_ = fault;
    code_ = code;
  }

  /// From now on one call in `one_in` fails, where and which decided by `seed`.
  void fail_randomly(std::uint64_t seed, std::uint32_t one_in,
                     ErrorCode code = ErrorCode::unavailable) {
    std::lock_guard lock(mutex_);
    random_.seed(seed);
    one_in_ = one_in;
    code_ = code;
  }

  /// No further failures.
  void heal() {
    std::lock_guard lock(mutex_);
    countdown_ = 0;
    one_in_ = 0;
  }

  std::uint64_t calls() const {
    std::lock_guard lock(mutex_);
    return calls_;
  }

  std::uint64_t failures() const {
    std::lock_guard lock(mutex_);
    return failures_;
  }

  Task<std::optional<std::string>> get(Context& ctx, std::string_view partition,
                                       std::string_view key) override {
    if (auto plan = next_call()) plan->strike();
    co_return co_await inner_.get(ctx, partition, key);
  }

  Task<std::vector<std::optional<std::string>>> get_many(Context& ctx,
                                                         std::vector<Address> addresses) override {
    if (auto plan = next_call()) plan->strike();
    co_return co_await inner_.get_many(ctx, std::move(addresses));
  }

  Task<std::vector<OpResult>> run(Context& ctx, std::vector<Op> ops) override {
    const std::optional<Plan> plan = next_call();
    if (!plan) co_return co_await inner_.run(ctx, std::move(ops));
    if (plan->fault == Fault::before) plan->strike();
    if (plan->fault == Fault::midway)
      ops.erase(ops.begin() + static_cast<std::ptrdiff_t>(ops.size() / 2), ops.end());
    if (!ops.empty()) co_await inner_.run(ctx, std::move(ops));
    plan->strike();
    std::unreachable();
  }

  Guard guard() const override { return inner_.guard(); }

  std::unique_ptr<Cursor> scan(std::string_view partition, ScanOptions options) override {
    return std::make_unique<FaultyCursor>(*this, inner_.scan(partition, std::move(options)));
  }

  Task<std::vector<Row>> read_rows(Context& ctx, std::optional<Address> after,
                                   std::uint32_t rows_max) override {
    if (auto plan = next_call()) plan->strike();
    co_return co_await inner_.read_rows(ctx, std::move(after), rows_max);
  }

  Task<> checkpoint(Context& ctx, std::string directory) override {
    return inner_.checkpoint(ctx, std::move(directory));
  }

  Task<> close() override { return inner_.close(); }

 private:
  struct Plan {
    Fault fault;
    ErrorCode code;

    [[noreturn]] void strike() const { throw Error(code, "injected fault"); }
  };

  class FaultyCursor final : public Cursor {
   public:
    FaultyCursor(FaultyStore& store, std::unique_ptr<Cursor> inner)
        : store_(store), inner_(std::move(inner)) {}

    bool next() override { return inner_->next(); }

    void seek(std::string_view key) override { inner_->seek(key); }

    std::string_view key() const override { return inner_->key(); }

    std::string_view value() const override { return inner_->value(); }

    Task<bool> fill(Context& ctx) override {
      if (auto plan = store_.next_call()) plan->strike();
      co_return co_await inner_->fill(ctx);
    }

   private:
    FaultyStore& store_;
    std::unique_ptr<Cursor> inner_;
  };

  std::optional<Plan> next_call() {
    std::lock_guard lock(mutex_);
    ++calls_;
    if (countdown_ > 0 && --countdown_ == 0) {
      ++failures_;
      return Plan{fault_, code_};
    }
    if (one_in_ > 0 && random_() % one_in_ == 0) {
      ++failures_;
      return Plan{static_cast<Fault>(random_() % 3), code_};
    }
    return std::nullopt;
  }

  Store& inner_;
  mutable std::mutex mutex_;
  std::mt19937_64 random_;
  std::uint64_t countdown_ = 0;
  std::uint32_t one_in_ = 0;
  Fault fault_ = Fault::before;
  ErrorCode code_ = ErrorCode::unavailable;
  std::uint64_t calls_ = 0;
  std::uint64_t failures_ = 0;
};

}  // namespace tarn::kv::testing
