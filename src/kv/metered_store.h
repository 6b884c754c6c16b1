// Counts and times every call of a store: tarn_kv_op_seconds{op,backend,outcome} and
// tarn_kv_set_if_lost_total{backend}. A scan is measured per fetched page.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/metrics.h"
#include "base/task.h"
#include "kv/store.h"

namespace tarn::kv {

class MeteredStore final : public Store {
 public:
  /// `backend` becomes a label: "mem", "rocks", ...
  MeteredStore(std::unique_ptr<Store> inner, std::string_view backend);

  Task<std::optional<std::string>> get(Context& ctx, std::string_view partition,
                                       std::string_view key) override;
  Task<std::vector<std::optional<std::string>>> get_many(Context& ctx,
                                                         std::vector<Address> addresses) override;
  Task<std::vector<OpResult>> run(Context& ctx, std::vector<Op> ops) override;

  Guard guard() const override { return inner_->guard(); }

  std::unique_ptr<Cursor> scan(std::string_view partition, ScanOptions options) override;
  Task<std::vector<Row>> read_rows(Context& ctx, std::optional<Address> after,
                                   std::uint32_t rows_max) override;
  Task<> checkpoint(Context& ctx, std::string directory) override;
  Task<> close() override;

 private:
  friend class MeteredCursor;
  enum class Call : std::uint8_t { get, get_many, run, scan_page };
  static constexpr std::size_t kCalls = 4;
  class Timer;

  std::unique_ptr<Store> inner_;
  std::string backend_;
  std::array<metrics::Histogram*, kCalls> ok_;
  metrics::Counter& lost_;
};

}  // namespace tarn::kv
