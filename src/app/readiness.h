// Whether this server should be sent requests: what a load balancer asks (GET /_ready).
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/context.h"
#include "base/task.h"
#include "block/object_store.h"
#include "io/loops.h"
#include "io/task_group.h"
#include "kv/store.h"

namespace tarn::app {

/// Asks both stores at an interval, so that a probe costs a load balancer's request nothing and a
/// store that hangs does not hang the answer: one that has not answered for long counts as down.
/// One that is full can still be read, so its server stays ready and says so. Thread-safe.
class Readiness {
 public:
  enum class State : std::uint8_t {
    starting,     // has not been asked yet
    ok,           //
    full,         // reads, but has no room for what is new
    refused,      // answers, but not to us: keys, permissions, a bucket that is gone
    unavailable,  // does not answer, or only with trouble
  };

  struct Config {
    std::chrono::milliseconds interval{1'000};
    std::chrono::milliseconds probe_timeout{5'000};
    std::chrono::milliseconds silence_max{10'000};  // since a store last answered
  };

  struct Report {
    bool ready = false;
    std::string json;  // {"status":"ready","metadata":"ok","objects":"ok"}: words of State
  };

  /// The stores and loops outlive it.
  Readiness(kv::Store& kv, block::ObjectStore& objects, io::Loops& loops, Config config);

  Readiness(kv::Store& kv, block::ObjectStore& objects, io::Loops& loops)
      : Readiness(kv, objects, loops, Config{}) {}

  ~Readiness();
  Readiness(const Readiness&) = delete;
  Readiness& operator=(const Readiness&) = delete;

  void start();
  Task<> stop();

  /// From now on not ready: the process is going to stop.
  void drain() { draining_ = true; }

  Report report() const;

 private:
  /// What is known of one store.
  struct Watched {
    explicit Watched(std::string_view store);

    std::string_view name;
    std::atomic<State> state{State::starting};
    std::atomic<Context::SteadyClock::rep> answered{0};
  };

  Task<> watch(Watched& store);
  Task<> probe(Context& ctx, Watched& store);
  void note(Watched& store, State state, std::string_view why);
  /// As of now: silence counts.
  State state_of(const Watched& store) const;

  kv::Store& kv_;
  block::ObjectStore& objects_;
  io::Loops& loops_;
  const Config config_;
  std::atomic<bool> draining_{false};
  Watched metadata_{"metadata"}, object_store_{"objects"};
  io::TaskGroup tasks_;
};

}  // namespace tarn::app
