// A connected socket, plain or TLS, seen as bytes. Asio's socket types stay behind it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <tuple>

#include <boost/asio/buffer.hpp>
#include <boost/system/error_code.hpp>

#include "base/task.h"

namespace tarn::http {

/// Whether more is written right after.
enum class More : std::uint8_t { none, follows };

using IoResult = std::tuple<boost::system::error_code, std::size_t>;

/// Used on its loop only. Operations do not throw for network errors; a cancelled one reports
/// operation_aborted.
class Stream {
 public:
  /// Pieces of one gathered write; empty ones are skipped.
  static constexpr std::size_t kPiecesMax = 3;

  virtual ~Stream() = default;

  virtual Task<boost::system::error_code> handshake() = 0;
  virtual Task<IoResult> read_some(boost::asio::mutable_buffer into) = 0;
  /// Writes what the socket takes at once, and says how much. 0 also for what the other
  /// write_some() has to find out: an error, a TLS record to make. With More::follows the bytes may
  /// wait a little for others to leave with.
  virtual std::size_t write_now(std::span<const boost::asio::const_buffer> pieces, More more) = 0;
  /// At most kPiecesMax pieces; writes what the socket takes.
  virtual Task<IoResult> write_some(std::span<const boost::asio::const_buffer> pieces) = 0;
  /// Bytes off the wire with no regard to TLS: for throwing away what a peer still sends.
  virtual Task<IoResult> read_raw(boost::asio::mutable_buffer into) = 0;

  /// The socket, for bytes that the kernel is to move by itself; negative where there is no such
  /// thing, as with TLS. It must not be closed while it is lent out.
  virtual int lend() const = 0;
  /// Returns once the socket has room, or has failed.
  virtual Task<boost::system::error_code> wait_for_room() = 0;
  /// Ends both directions, whatever is under way on whichever thread; the descriptor stays open.
  virtual void shut_down() = 0;

  virtual bool is_tls() const = 0;
  /// Nothing has arrived that nobody asked for, the peer's end included: a kept connection that is
  /// not quiet is of no use.
  virtual bool is_quiet() const = 0;
  /// Written, but not yet acknowledged by the peer's machine.
  virtual std::size_t unsent_bytes() const = 0;
  /// Ends the operations under way; the stream stays usable.
  virtual void cancel() = 0;
  /// Tells the peer that nothing more will be sent, where TLS has a word for it.
  virtual Task<boost::system::error_code> say_goodbye() = 0;
  /// Sends FIN, after everything written.
  virtual void shutdown_send() = 0;
  virtual void close() = 0;
  /// Closes with a reset, so that the peer cannot take the end for a complete answer.
  virtual void reset() = 0;

 protected:
  Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
};

}  // namespace tarn::http
