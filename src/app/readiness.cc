#include "app/readiness.h"

#include "base/error.h"
#include "base/format.h"
#include "base/log.h"
#include "base/metrics.h"
#include "io/sync.h"

namespace tarn::app {

namespace {

constexpr std::string_view kPartition = "tarn/readiness";  // read only: there is nothing in it

metrics::Gauge& up_gauge(std::string_view store) {
  return metrics::gauge("tarn_app_store_up", "1 while the store answers.", {{"store", store}});
}

}  // namespace

Readiness::Watched::Watched(std::string_view store)
    : name(store), answered(Context::SteadyClock::now().time_since_epoch().count()) {
  up_gauge(name).set(1);
}

Readiness::Readiness(kv::Store& kv, block::ObjectStore& objects, io::Loops& loops, Config config)
    : kv_(kv), objects_(objects), loops_(loops), config_(config) {}

Readiness::~Readiness() = default;

void Readiness::start() {
  tasks_.spawn(loops_.any(), "watch metadata", watch(metadata_));
  tasks_.spawn(loops_.any(), "watch objects", watch(object_store_));
}

Task<> Readiness::stop() {
  tasks_.cancel();
  co_await tasks_.join();
}

Task<> Readiness::watch(Watched& store) {
  while (true) {
    Context ctx(Context::SteadyClock::now() + config_.probe_timeout);
    std::string why;
    try {
      co_await probe(ctx, store);
    } catch (const Error& error) {
      if (error.code() == ErrorCode::cancelled) throw;
      why = error.message();
    }
    note(store, why.empty(), why);
    co_await io::sleep(config_.interval);
  }
}

Task<> Readiness::probe(Context& ctx, Watched& store) {
  if (&store == &metadata_) {
    co_await kv_.get(ctx, kPartition, "probe");
  } else {
    co_await objects_.probe(ctx);
  }
}

void Readiness::note(Watched& store, bool up, std::string_view why) {
  if (up) store.answered = Context::SteadyClock::now().time_since_epoch().count();
  if (store.up.exchange(up) == up) return;
  up_gauge(store.name).set(up ? 1 : 0);
  if (up) {
    log::info("store answers again", {{"store", store.name}});
  } else {
    log::warn("store does not answer", {{"store", store.name}, {"error", why}});
  }
}

bool Readiness::is_up(const Watched& store) const {
  const Context::SteadyClock::duration answered(store.answered.load());
  const auto silence = Context::SteadyClock::now().time_since_epoch() - answered;
  return store.up && silence < config_.silence_max;
}

Readiness::Report Readiness::report() const {
  const bool metadata = is_up(metadata_);
  const bool objects = is_up(object_store_);
  const bool ready = metadata && objects && !draining_;
  const std::string_view status = draining_ ? "draining" : ready ? "ready" : "unavailable";
  const auto word = [](bool up) -> std::string_view { return up ? "ok" : "unavailable"; };
  return {ready, format(R"({{"status":"{}","metadata":"{}","objects":"{}"}})", status,
                        word(metadata), word(objects)) +
                     "\n"};
}

}  // namespace tarn::app
