#include "http/listener.h"

#include <charconv>

#include <boost/asio/detail/socket_option.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <sys/socket.h>

#include "base/error.h"

namespace tarn::http {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

// Larger than any burst of connects between two turns of a loop; the kernel caps it (somaxconn).
constexpr int kBacklog = 4'096;

using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

asio::ip::address resolve(const std::string& host) {
  error_code error;
  const auto literal = asio::ip::make_address(host, error);
  if (!error) return literal;
  asio::io_context context(1);
  tcp::resolver resolver(context);
  const auto found = resolver.resolve(host, "", error);
  if (error || found.empty()) {
    throw Error(ErrorCode::unavailable, "cannot resolve listen address " + host);
  }
  return found.begin()->endpoint().address();
}

/// False when the system has no such address family.
bool open(tcp::acceptor& acceptor, const tcp::endpoint& endpoint) {
  error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (error) return false;
  acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (endpoint.address().is_v6() && endpoint.address().is_unspecified()) {
    acceptor.set_option(asio::ip::v6_only(false), error);
  }
  return true;
}

[[noreturn]] void throw_unbound(const tcp::endpoint& endpoint, const error_code& error) {
  throw Error(ErrorCode::unavailable, "cannot listen on " + endpoint.address().to_string() + ":" +
                                          std::to_string(endpoint.port()) + ": " + error.message());
}

/// SO_REUSEPORT would let a second server share the port in silence: a bind without it tells.
void check_free(const asio::any_io_executor& executor, const tcp::endpoint& endpoint) {
  tcp::acceptor probe(executor);
  error_code error;
  if (open(probe, endpoint)) probe.bind(endpoint, error);
  if (error) throw_unbound(endpoint, error);
}

}  // namespace

tcp::endpoint parse_listen_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  std::uint16_t port = 0;
  const std::string_view digits =
      colon == std::string_view::npos ? std::string_view{} : text.substr(colon + 1);
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (digits.empty() || parsed.ec != std::errc{} || parsed.ptr != digits.data() + digits.size()) {
    throw Error(ErrorCode::invalid_argument,
                "listen address '" + std::string(text) + "' is not host:port");
  }
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    throw Error(ErrorCode::invalid_argument,
                "listen address '" + std::string(text) + "' needs brackets around its IPv6 part");
  }
  if (host.empty()) return {asio::ip::address_v6::any(), port};
  return {resolve(std::string(host)), port};
}

std::vector<tcp::acceptor> listen_on(tcp::endpoint endpoint,
                                     const std::vector<asio::any_io_executor>& executors) {
  const bool any = endpoint.address().is_v6() && endpoint.address().is_unspecified();
  if (tcp::acceptor probe(executors.front()); any && !open(probe, endpoint)) {
    endpoint.address(asio::ip::address_v4::any());
  }
  if (endpoint.port() != 0) check_free(executors.front(), endpoint);
  std::vector<tcp::acceptor> acceptors;
  for (const asio::any_io_executor& executor : executors) {
    tcp::acceptor& acceptor = acceptors.emplace_back(executor);
    error_code error;
    if (!open(acceptor, endpoint))
      throw_unbound(endpoint, asio::error::address_family_not_supported);
    if (executors.size() > 1) acceptor.set_option(ReusePort(true), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(kBacklog, error);
    if (error) throw_unbound(endpoint, error);
    if (endpoint.port() == 0) endpoint.port(acceptor.local_endpoint().port());
  }
  return acceptors;
}

std::string address_text(const tcp::endpoint& peer) {
  const asio::ip::address address = peer.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
  }
  return address.to_string();
}

}  // namespace tarn::http
