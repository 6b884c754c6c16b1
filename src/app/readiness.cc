#include "app/readiness.h"

#include <utility>

#include "base/error.h"
#include "base/format.h"
#include "base/log.h"
#include "base/metrics.h"
#include "io/sync.h"

namespace tarn::app {

namespace {

constexpr std::string_view kPartition = "tarn/readiness";  // read only: there is nothing in it

using State = Readiness::State;

metrics::Gauge& up_gauge(std::string_view store) {
  return metrics::gauge("tarn_app_store_up", "1 while the store answers.", {{"store", store}});
}

metrics::Gauge& full_gauge(std::string_view store) {
  return metrics::gauge("tarn_app_store_full", "1 while the store has no room.",
                        {{"store", store}});
}

std::string_view word(State state) {
  switch (state) {
    case State::starting: return "starting";
    case State::ok: return "ok";
    case State::full: return "full";
    case State::refused: return "refused";
    case State::unavailable: return "unavailable";
  }
  std::unreachable();
}

State state_after(ErrorCode failure) {
  if (failure == ErrorCode::storage_full) return State::full;
  if (failure == ErrorCode::permission_denied) return State::refused;
  return State::unavailable;
}

bool serves(State state) {
  return state == State::ok || state == State::full;
}

void tell(std::string_view store, State from, State to, std::string_view why) {
  switch (to) {
    case State::starting: break;
    case State::ok:
      if (from == State::full) log::info("store has room again", {{"store", store}});
      if (!serves(from) && from != State::starting) {
        log::info("store answers again", {{"store", store}});
      }
      break;
    case State::full: log::error("store is full", {{"store", store}, {"error", why}}); break;
    case State::refused:
      log::error("store refuses this server", {{"store", store}, {"error", why}});
      break;
    case State::unavailable:
      log::warn("store does not answer", {{"store", store}, {"error", why}});
      break;
  }
}

}  // namespace

Readiness::Watched::Watched(std::string_view store)
    : name(store), answered(Context::SteadyClock::now().time_since_epoch().count()) {
  up_gauge(name).set(0);
  full_gauge(name).set(0);
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
    State state = State::ok;
    std::string why;
    try {
      co_await probe(ctx, store);
    } catch (const Error& error) {
      if (error.code() == ErrorCode::cancelled) throw;
      state = state_after(error.code());
      why = error.message();
    }
    note(store, state, why);
    co_await io::sleep(config_.interval);
  }
}

Task<> Readiness::probe(Context& ctx, Watched& store) {
  if (&store == &metadata_) {
    co_await kv_.get(ctx, kPartition, "probe");
    co_await kv_.run(ctx, {});  // fails where a write would, on a store that can tell
  } else {
    co_await objects_.probe(ctx);
  }
}

void Readiness::note(Watched& store, State state, std::string_view why) {
  if (state != State::unavailable) {
    store.answered = Context::SteadyClock::now().time_since_epoch().count();
  }
  const State before = store.state.exchange(state);
  if (before == state) return;
  up_gauge(store.name).set(serves(state) ? 1 : 0);
  full_gauge(store.name).set(state == State::full ? 1 : 0);
  tell(store.name, before, state, why);
}

State Readiness::state_of(const Watched& store) const {
  const Context::SteadyClock::duration answered(store.answered.load());
  const auto silence = Context::SteadyClock::now().time_since_epoch() - answered;
  return silence < config_.silence_max ? store.state.load() : State::unavailable;
}

Readiness::Report Readiness::report() const {
  const State metadata = state_of(metadata_);
  const State objects = state_of(object_store_);
  const auto any = [&](State state) { return metadata == state || objects == state; };
  const bool ready = serves(metadata) && serves(objects) && !draining_;
  std::string_view status = "ready";
  if (draining_) {
    status = "draining";
  } else if (any(State::unavailable) || any(State::refused)) {
    status = "unavailable";
  } else if (any(State::starting)) {
    status = "starting";
  } else if (any(State::full)) {
    status = "full";
  }
  return {ready, format(R"({{"status":"{}","metadata":"{}","objects":"{}"}})", status,
                        word(metadata), word(objects)) +
                     "\n"};
}

}  // namespace tarn::app
