#include "http/stream.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <string>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <linux/sockios.h>
#include <openssl/ssl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "http/socket_stream.h"

namespace tarn::http {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

template <class AsyncStream>
Task<IoResult> write_some_to(AsyncStream& stream, std::span<const asio::const_buffer> pieces) {
  if (pieces.size() == 1) return stream.async_write_some(asio::const_buffer(pieces[0]), kAwait);
  std::array<asio::const_buffer, Stream::kPiecesMax> gathered;
  std::ranges::copy(pieces.first(std::min(pieces.size(), gathered.size())), gathered.begin());
  return stream.async_write_some(gathered, kAwait);
}

class PlainStream : public Stream {
 public:
  explicit PlainStream(tcp::socket socket) : socket_(std::move(socket)) {
    error_code ignored;  // a socket that has failed says so again when it is used
    socket_.non_blocking(true, ignored);
  }

  Task<error_code> handshake() override { co_return error_code{}; }

  Task<IoResult> read_some(asio::mutable_buffer into) override {
    return socket_.async_read_some(into, kAwait);
  }

  Task<IoResult> write_some(std::span<const asio::const_buffer> pieces) override {
    return write_some_to(socket_, pieces);
  }

  std::size_t write_now(std::span<const asio::const_buffer> pieces, More more) override {
    const tcp::socket::message_flags flags = more == More::follows ? MSG_MORE : 0;
    error_code error;
    if (pieces.size() == 1) {
      const std::size_t bytes = socket_.send(asio::const_buffer(pieces[0]), flags, error);
      return error ? 0 : bytes;
    }
    std::array<asio::const_buffer, kPiecesMax> gathered;
    std::ranges::copy(pieces.first(std::min(pieces.size(), gathered.size())), gathered.begin());
    const std::size_t bytes = socket_.send(gathered, flags, error);
    return error ? 0 : bytes;
  }

  int lend() const override { return handle(); }

  Task<error_code> wait_for_room() override {
    const auto [error] = co_await socket_.async_wait(tcp::socket::wait_write, kAwait);
    co_return error;
  }

  void shut_down() override {
    error_code ignored;
    socket_.shutdown(tcp::socket::shutdown_both, ignored);
  }

  Task<IoResult> read_raw(asio::mutable_buffer into) override {
    return socket_.async_read_some(into, kAwait);
  }

  Task<error_code> say_goodbye() override { co_return error_code{}; }

  bool is_tls() const override { return false; }

  bool is_quiet() const override {
    char byte = 0;
    const auto seen = ::recv(handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return seen < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
  }

  std::size_t unsent_bytes() const override {
    int bytes = 0;
    return ::ioctl(handle(), SIOCOUTQ, &bytes) == 0 ? static_cast<std::size_t>(bytes) : 0;
  }

  void cancel() override {
    error_code ignored;
    socket_.cancel(ignored);
  }

  void shutdown_send() override {
    error_code ignored;
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
  }

  void close() override {
    error_code ignored;
    socket_.close(ignored);
  }

  void reset() override {
    error_code ignored;
    socket_.set_option(tcp::socket::linger(true, 0), ignored);
    socket_.close(ignored);
  }

 protected:
  tcp::socket socket_;

 private:
  /// native_handle() is not const, looking at the socket is.
  int handle() const { return const_cast<tcp::socket&>(socket_).native_handle(); }
};

class TlsStream : public PlainStream {
 public:
  TlsStream(tcp::socket socket, TlsSnapshot tls)
      : PlainStream(std::move(socket)), context_(std::move(tls)), tls_(socket_, *context_) {
    SSL_set_mode(tls_.native_handle(), SSL_MODE_RELEASE_BUFFERS);
  }

  Task<error_code> handshake() override {
    const auto [error] = co_await tls_.async_handshake(asio::ssl::stream_base::server, kAwait);
    co_return error;
  }

  Task<IoResult> read_some(asio::mutable_buffer into) override {
    return tls_.async_read_some(into, kAwait);
  }

  Task<IoResult> write_some(std::span<const asio::const_buffer> pieces) override {
    return write_some_to(tls_, pieces);
  }

  std::size_t write_now(std::span<const asio::const_buffer>, More) override { return 0; }

  int lend() const override { return -1; }

  // Also waits for the peer's answer, or for anything else it sends.
  Task<error_code> say_goodbye() override {
    const auto [error] = co_await tls_.async_shutdown(kAwait);
    co_return error;
  }

  bool is_tls() const override { return true; }

 protected:
  const TlsSnapshot context_;  // shared with the owner, which may have moved on to a newer one
  asio::ssl::stream<tcp::socket&> tls_;
};

/// Checks the name it was told when the context wants certificates verified.
class TlsClientStream final : public TlsStream {
 public:
  TlsClientStream(tcp::socket socket, TlsSnapshot tls, const std::string& host)
      : TlsStream(std::move(socket), std::move(tls)) {
    error_code no_address;
    asio::ip::make_address(host, no_address);
    if (no_address) SSL_set_tlsext_host_name(tls_.native_handle(), host.c_str());
    error_code ignored;
    tls_.set_verify_callback(asio::ssl::host_name_verification(host), ignored);
  }

  Task<error_code> handshake() override {
    const auto [error] = co_await tls_.async_handshake(asio::ssl::stream_base::client, kAwait);
    co_return error;
  }
};

}  // namespace

std::unique_ptr<Stream> make_stream(tcp::socket socket, TlsSnapshot tls) {
  if (tls) return std::make_unique<TlsStream>(std::move(socket), std::move(tls));
  return std::make_unique<PlainStream>(std::move(socket));
}

std::unique_ptr<Stream> make_client_stream(tcp::socket socket, TlsSnapshot tls,
                                           const std::string& host) {
  if (tls) return std::make_unique<TlsClientStream>(std::move(socket), std::move(tls), host);
  return std::make_unique<PlainStream>(std::move(socket));
}

}  // namespace tarn::http
