// One connection of the client: bytes out, a head in, then bytes in; each step under a deadline.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/buffer.hpp>

#include "base/context.h"
#include "base/task.h"
#include "http/client.h"
#include "http/response_head.h"
#include "http/stream.h"
#include "http/tls.h"
#include "http/watch.h"

namespace tarn::http {

/// The sooner of `timeout` from now and the context's deadline.
Watch::Time due_within(const Context& ctx, std::chrono::milliseconds timeout);

/// Error{deadline_exceeded} if that was it, else Error{unavailable}: "host: why".
[[noreturn]] void throw_unreachable(const Context& ctx, const Endpoint& endpoint,
                                    std::string_view why);

/// Used on its loop only, one operation at a time. Cancellation passes through.
class ClientConnection {
 public:
  enum class End { ok, closed, timed_out };

  /// Resolves, connects and shakes hands, all before `due`. Throws as throw_unreachable() does.
  static Task<std::unique_ptr<ClientConnection>> open(Context& ctx, const Endpoint& endpoint,
                                                      TlsSnapshot tls, Watch::Time due);

  ClientConnection(std::unique_ptr<Stream> stream, const boost::asio::any_io_executor& executor);

  /// Writes everything; `timeout` starts anew with each progress.
  Task<End> write(Context& ctx, std::span<const boost::asio::const_buffer> pieces,
                  std::chrono::milliseconds timeout);

  struct Read {
    std::size_t bytes = 0;
    End end = End::ok;
    bool clean = false;  // closed: by a proper end, not a reset
  };

  Task<Read> read_some(Watch::Time due, std::span<char> into);

  /// Still connected, and nothing unasked has arrived.
  bool is_quiet() const { return stream_->is_quiet(); }

  std::chrono::steady_clock::time_point idle_since;

 private:
  std::unique_ptr<Stream> stream_;
  Watch watch_;  // after the stream it ends
};

}  // namespace tarn::http
