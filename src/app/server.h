// The running server: every part, in the order they depend on each other. Read top to bottom, it is
// the architecture; members start in this order and stop in reverse.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "app/config.h"
#include "auth/authority.h"
#include "base/error.h"
#include "base/time.h"
#include "block/object_store.h"
#include "catalog/catalog.h"
#include "http/server.h"
#include "io/blocking_pool.h"
#include "io/loops.h"
#include "kv/store.h"
#include "versioning/committed/committed.h"
#include "versioning/engine.h"

namespace tarn::app {

/// What there are two of, and either may be out of reach.
enum class StoreRole : std::uint8_t { metadata, objects };

/// A store could not be opened.
class StoreError final : public Error {
 public:
  StoreError(StoreRole role, const Error& why) : Error(why), role_(role) {}

  StoreRole role() const { return role_; }

 private:
  StoreRole role_;
};

/// Everything below the edges: what `run`, `setup` and `fsck` share.
class Core {
 public:
  /// Blocking: opens the stores and reads the installation. Throws StoreError when something cannot
  /// be opened or served; the message is for the operator.
  explicit Core(const Config& config);
  /// Blocking: stops background work and closes the stores.
  ~Core();
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  // Loops first: whoever resumes coroutines on them is joined before they go.
  SystemClock clock;
  io::Loops loops;
  io::BlockingPool metadata_pool;
  io::BlockingPool file_pool;
  std::unique_ptr<kv::Store> kv;
  std::unique_ptr<block::ObjectStore> objects;
  std::unique_ptr<versioning::Committed> committed;
  std::unique_ptr<versioning::Engine> engine;
  std::unique_ptr<catalog::Catalog> catalog;
  std::unique_ptr<auth::Authority> authority;

 private:
  void open(const Config& config);
  void open_metadata(const Config& config);
  void open_objects(const Config& config);
  void close() noexcept;
};

/// Serves until SIGTERM or SIGINT; then says for `server.shutdown_delay` that it is not ready, and
/// drains. SIGHUP reads the TLS files again.
class Server {
 public:
  Server(const Config& config, Core& core);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Blocking: binds and begins to serve. Throws Error{unavailable} if the address is taken.
  void start();
  std::uint16_t port() const;
  /// Blocking.
  void run_until_signal();

 private:
  struct Edges;
  void announce_stop();
  Core& core_;
  const std::chrono::milliseconds shutdown_delay_;
  std::unique_ptr<Edges> edges_;
};

}  // namespace tarn::app
