// Sockets to listen on: addresses as configuration writes them, bound once per loop.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace tarn::http {

/// "host:port", "[v6]:port" or ":port" (all addresses, both families where the system has both).
/// Throws Error{invalid_argument} for other text, Error{unavailable} for an unknown host.
boost::asio::ip::tcp::endpoint parse_listen_address(std::string_view text);

/// One listening socket per executor, all on one port: the kernel spreads connections over them.
/// Throws Error{unavailable} when the address cannot be bound, also because somebody else, even
/// of the same user, listens there.
std::vector<boost::asio::ip::tcp::acceptor> listen_on(
    boost::asio::ip::tcp::endpoint endpoint,
    const std::vector<boost::asio::any_io_executor>& executors);

/// Address text without port; an IPv4 peer of a dual-stack socket looks like the IPv4 peer it is.
std::string address_text(const boost::asio::ip::tcp::endpoint& peer);

}  // namespace tarn::http
