// The one place that knows which store is behind an interface.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "app/config.h"
#include "base/context.h"
#include "base/task.h"
#include "base/time.h"
#include "block/object_store.h"
#include "io/blocking_pool.h"
#include "io/loops.h"
#include "kv/store.h"

namespace tarn::app {

/// What stores run on; outlives them.
struct StoreTools {
  const io::Loops& loops;
  io::BlockingPool& pool;
  const Clock& clock;
};

/// Whether a server of the reference keeps its embedded database in this directory. Nothing here
/// can read it, and a store of ours must not be made beside it.
bool holds_reference_database(const std::filesystem::path& directory);

/// Why it is not opened, and the way out.
std::string embedded_reference_refusal(const std::filesystem::path& directory);

/// Blocking, not on one of the loops. Metered. Throws Error as the backends' open() do.
std::unique_ptr<kv::Store> open_kv(const Config& config, const StoreTools& tools);

/// Metered. `pool` is for object files. Throws Error as the backends' open() do.
Task<std::unique_ptr<block::ObjectStore>> open_object_store(Context& ctx, const Config& config,
                                                            const StoreTools& tools);

}  // namespace tarn::app
