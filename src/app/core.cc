#include <algorithm>
#include <thread>

#include <sched.h>

#include "app/blocking_wait.h"
#include "app/server.h"
#include "app/stores.h"
#include "base/error.h"
#include "base/log.h"
#include "kv/copy.h"

namespace tarn::app {

namespace {

/// The processors this process may run on, which a container or taskset makes fewer than there are:
/// two loops on one core only switch between each other.
std::size_t usable_cores() {
  cpu_set_t set;
  if (::sched_getaffinity(0, sizeof set, &set) == 0) {
    return static_cast<std::size_t>(std::max(1, CPU_COUNT(&set)));
  }
  return std::max<std::size_t>(1, std::thread::hardware_concurrency());
}

std::size_t loop_count(const Config& config) {
  return config.io_threads != 0 ? config.io_threads : usable_cores();
}

}  // namespace

Core::Core(const Config& config)
    : loops(loop_count(config)),
      metadata_pool(
          {.name = "metadata", .threads = std::max<std::size_t>(1, config.metadata_threads)}),
      file_pool({.name = "files", .threads = std::max<std::size_t>(1, config.file_threads)}) {
  try {
    open(config);
  } catch (...) {
    close();
    throw;
  }
}

Core::~Core() {
  close();
}

void Core::open_metadata(const Config& config) {
  Context ctx;
  try {
    kv = open_kv(config, {.loops = loops, .pool = metadata_pool, .clock = clock});
    wait_for(loops.any(), kv::check_no_unfinished_copy(ctx, *kv));
    authority = std::make_unique<auth::Authority>(*kv, clock, config.auth);
    wait_for(loops.any(), authority->open(ctx));
  } catch (const Error& error) {
    throw StoreError(StoreRole::metadata, error);
  }
}

void Core::open_objects(const Config& config) {
  Context ctx;
  try {
    objects = wait_for(
        loops.any(),
        open_object_store(ctx, config, {.loops = loops, .pool = file_pool, .clock = clock}));
  } catch (const Error& error) {
    throw StoreError(StoreRole::objects, error);
  }
}

void Core::open(const Config& config) {
  open_metadata(config);
  open_objects(config);
  committed = std::make_unique<versioning::Committed>(*objects, file_pool, config.committed);
  versioning::EngineConfig engine_config = config.engine;
  engine_config.other_servers = is_service(config.database);
  engine = std::make_unique<versioning::Engine>(
      versioning::Engine::Parts{
          .kv = *kv, .committed = *committed, .clock = clock, .loops = &loops},
      engine_config);
  catalog = std::make_unique<catalog::Catalog>(
      catalog::Catalog::Parts{.kv = *kv, .objects = *objects, .engine = *engine, .clock = clock},
      config.catalog);
}

void Core::close() noexcept {
  try {
    if (engine != nullptr) wait_for(loops.any(), engine->stop());
    if (committed != nullptr) wait_for(loops.any(), committed->close());
    if (objects != nullptr) wait_for(loops.any(), objects->close());
    if (kv != nullptr) wait_for(loops.any(), kv->close());
  } catch (const std::exception& error) {
    log::error("closing the stores failed", {{"error", error.what()}});
  }
}

}  // namespace tarn::app
