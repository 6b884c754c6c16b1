#include "kv/metered_store.h"

#include <chrono>
#include <utility>

namespace tarn::kv {
namespace {

metrics::Histogram& series(std::string_view call, std::string_view backend,
                           std::string_view outcome) {
  return metrics::histogram("tarn_kv_op_seconds", "Key-value store calls by outcome",
                            {{"op", call}, {"backend", backend}, {"outcome", outcome}});
}

constexpr std::array<std::string_view, 4> kCallNames = {"get", "get_many", "run", "scan_page"};

}  // namespace

/// Observes on destruction: "ok" after ok(), the error's name after failed(), else "cancelled".
class MeteredStore::Timer {
 public:
  Timer(MeteredStore& store, Call call)
      : store_(store), call_(static_cast<std::size_t>(call)), begin_(Context::SteadyClock::now()) {}

  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  ~Timer() {
    metrics::Histogram& histogram =
        ok_ ? *store_.ok_[call_] : series(kCallNames[call_], store_.backend_, outcome_);
    histogram.observe(Context::SteadyClock::now() - begin_);
  }

  void ok() { ok_ = true; }

  void failed(const Error& error) { outcome_ = to_string(error.code()); }

 private:
  MeteredStore& store_;
  std::size_t call_;
  Context::SteadyClock::time_point begin_;
  bool ok_ = false;
  std::string_view outcome_ = "cancelled";
};

class MeteredCursor final : public Cursor {
 public:
  MeteredCursor(MeteredStore& store, std::unique_ptr<Cursor> inner)
      : store_(store), inner_(std::move(inner)) {}

  bool next() override { return inner_->next(); }

  void seek(std::string_view key) override { inner_->seek(key); }

  std::string_view key() const override { return inner_->key(); }

  std::string_view value() const override { return inner_->value(); }

  Task<bool> fill(Context& ctx) override {
    MeteredStore::Timer timer(store_, MeteredStore::Call::scan_page);
    try {
      const bool more = co_await inner_->fill(ctx);
      timer.ok();
      co_return more;
    } catch (const Error& error) {
      timer.failed(error);
      throw;
    }
  }

 private:
  MeteredStore& store_;
  std::unique_ptr<Cursor> inner_;
};

MeteredStore::MeteredStore(std::unique_ptr<Store> inner, std::string_view backend)
    : inner_(std::move(inner)),
      backend_(backend),
      lost_(metrics::counter("tarn_kv_set_if_lost_total", "Conditional writes that lost",
                             {{"backend", backend}})) {
  for (std::size_t call = 0; call < kCalls; ++call) {
    ok_[call] = &series(kCallNames[call], backend, "ok");
  }
}

Task<std::optional<std::string>> MeteredStore::get(Context& ctx, std::string_view partition,
                                                   std::string_view key) {
  Timer timer(*this, Call::get);
  try {
    auto found = co_await inner_->get(ctx, partition, key);
    timer.ok();
    co_return found;
  } catch (const Error& error) {
    timer.failed(error);
    throw;
  }
}

Task<std::vector<std::optional<std::string>>> MeteredStore::get_many(
    Context& ctx, std::vector<Address> addresses) {
  Timer timer(*this, Call::get_many);
  try {
    auto found = co_await inner_->get_many(ctx, std::move(addresses));
    timer.ok();
    co_return found;
  } catch (const Error& error) {
    timer.failed(error);
    throw;
  }
}

Task<std::vector<OpResult>> MeteredStore::run(Context& ctx, std::vector<Op> ops) {
  Timer timer(*this, Call::run);
  try {
    auto results = co_await inner_->run(ctx, std::move(ops));
    timer.ok();
    for (const OpResult& result : results) {
      if (!result.stored) lost_.add();
    }
    co_return results;
  } catch (const Error& error) {
    timer.failed(error);
    throw;
  }
}

std::unique_ptr<Cursor> MeteredStore::scan(std::string_view partition, ScanOptions options) {
  return std::make_unique<MeteredCursor>(*this, inner_->scan(partition, std::move(options)));
}

Task<std::vector<Row>> MeteredStore::read_rows(Context& ctx, std::optional<Address> after,
                                               std::uint32_t rows_max) {
  return inner_->read_rows(ctx, std::move(after), rows_max);
}

Task<> MeteredStore::checkpoint(Context& ctx, std::string directory) {
  return inner_->checkpoint(ctx, std::move(directory));
}

Task<> MeteredStore::close() {
  return inner_->close();
}

}  // namespace tarn::kv
