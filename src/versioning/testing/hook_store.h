// A store that lets a test act between any two steps, where other servers act in life.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kv/store.h"

namespace tarn::versioning::testing {

/// Runs every step on its own and calls `before` ahead of it; gets count as steps too. What the
/// hook does belongs on the inner store, or it would call itself.
class HookStore final : public kv::Store {
 public:
  using Hook = std::function<Task<>(Context&, const kv::Op&)>;

  explicit HookStore(kv::Store& inner) : inner_(inner) {}

  void set_hook(Hook before) { before_ = std::move(before); }

  /// Calls of get(), get_many() and run(): round trips.
  std::size_t calls() const { return calls_; }

  Task<std::optional<std::string>> get(Context& ctx, std::string_view partition,
                                       std::string_view key) override {
    ++calls_;
    auto results = co_await steps(ctx, one(kv::Op::get(std::string(partition), std::string(key))));
    co_return std::move(results.front().found);
  }

  Task<std::vector<std::optional<std::string>>> get_many(
      Context& ctx, std::vector<kv::Address> addresses) override {
    ++calls_;
    std::vector<kv::Op> ops;
    for (kv::Address& at : addresses) {
      ops.push_back(kv::Op::get(std::move(at.partition), std::move(at.key)));
    }
    std::vector<std::optional<std::string>> found;
    for (kv::OpResult& result : co_await steps(ctx, std::move(ops))) {
      found.push_back(std::move(result.found));
    }
    co_return found;
  }

  Task<std::vector<kv::OpResult>> run(Context& ctx, std::vector<kv::Op> ops) override {
    ++calls_;
    return steps(ctx, std::move(ops));
  }

  kv::Guard guard() const override { return guard_; }

  /// none unless set: as a store without guarded writes.
  void set_guard(kv::Guard guard) { guard_ = guard; }

  std::unique_ptr<kv::Cursor> scan(std::string_view partition, kv::ScanOptions options) override {
    return inner_.scan(partition, std::move(options));
  }

  Task<> close() override { return inner_.close(); }

 private:
  static std::vector<kv::Op> one(kv::Op op) {
    std::vector<kv::Op> ops;
    ops.push_back(std::move(op));
    return ops;
  }

  Task<std::vector<kv::OpResult>> steps(Context& ctx, std::vector<kv::Op> ops) {
    std::vector<kv::OpResult> results;
    for (kv::Op& op : ops) {
      if (before_) co_await before_(ctx, op);
      auto result = co_await inner_.run(ctx, one(std::move(op)));
      results.push_back(std::move(result.front()));
    }
    co_return results;
  }

  kv::Store& inner_;
  Hook before_;
  kv::Guard guard_ = kv::Guard::none;
  std::size_t calls_ = 0;
};

}  // namespace tarn::versioning::testing
