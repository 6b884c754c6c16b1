// Certificates: loading them, and replacing them while the server runs.
#pragma once

#include <memory>
#include <mutex>

#include <boost/asio/ssl/context.hpp>

#include "http/client.h"
#include "http/server.h"

namespace tarn::http {

/// Owned by the server or client and by every connection made under it.
using TlsSnapshot = std::shared_ptr<boost::asio::ssl::context>;

/// TLS 1.2 and later, ALPN "http/1.1". Throws Error{invalid_argument} when the files cannot be read
/// or do not belong together.
TlsSnapshot load_tls(const TlsConfig& config);

/// The client's side of the same. Throws Error{invalid_argument} when the CA file cannot be used.
TlsSnapshot load_client_tls(const ClientTls& config);

/// The snapshot new connections use. Thread-safe.
class TlsKeeper {
 public:
  TlsSnapshot current() const;
  void replace(TlsSnapshot fresh);

 private:
  mutable std::mutex mutex_;
  TlsSnapshot current_;
};

}  // namespace tarn::http
