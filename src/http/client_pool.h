// The connections of one loop: which are free, who waits for one, how many there may be per host.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/context.h"
#include "base/task.h"
#include "http/client.h"
#include "http/client_connection.h"

namespace tarn::http {

/// Used on its loop only. Owned by the client and by the leases under way.
class ClientPool : public std::enable_shared_from_this<ClientPool> {
  struct Host;
  struct Waiter;

 public:
  /// `tls` is called when the first connection needs it.
  ClientPool(const ClientConfig& config, std::function<TlsSnapshot()> tls);
  ~ClientPool();

  /// The right to one connection to a host. Gives its place back when destroyed; the connection
  /// only lives on if keep() was called.
  class Lease {
   public:
    Lease() = default;
    Lease(Lease&&) noexcept = default;
    Lease& operator=(Lease&& other) noexcept;
    ~Lease();

    explicit operator bool() const { return pool_ != nullptr; }

    ClientConnection& connection() { return *connection_; }

    /// Has served a request before.
    bool reused() const { return reused_; }

    /// The connection is fit for another request. Ends the lease.
    void keep();
    /// Closes the connection. Ends the lease.
    void drop();

   private:
    friend class ClientPool;

    std::shared_ptr<ClientPool> pool_;
    std::shared_ptr<Host> host_;
    std::unique_ptr<ClientConnection> connection_;
    bool reused_ = false;
  };

  enum class Want { any, fresh };

  struct Patience {
    std::chrono::milliseconds for_place;  // 0: takes one beyond the limit
    Want want = Want::any;
  };

  /// Waits for a place, then takes a kept connection or makes one. Throws as throw_unreachable().
  Task<Lease> acquire(Context& ctx, const Endpoint& endpoint, Patience patience);

  /// Closes what nobody uses and keeps nothing any more.
  void close();

 private:
  Task<> take_place(Context& ctx, const Endpoint& endpoint, Host& host,
                    std::chrono::milliseconds patience);
  static void give_place_back(Host& host);
  std::unique_ptr<ClientConnection> take_kept(Host& host) const;
  void forget_unused_hosts();

  bool keeps() const { return !closed_ && config_.keep_alive.count() > 0; }

  const ClientConfig& config_;
  const std::function<TlsSnapshot()> tls_;
  std::map<std::string, std::shared_ptr<Host>, std::less<>> hosts_;  // shared with their leases
  bool closed_ = false;
};

}  // namespace tarn::http
