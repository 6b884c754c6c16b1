// Makes streams of sockets, accepted or connected. Apart from stream.h because it names Asio's
// sockets.
#pragma once

#include <memory>
#include <string>

#include <boost/asio/ip/tcp.hpp>

#include "http/stream.h"
#include "http/tls.h"

namespace tarn::http {

/// Plain when `tls` is null; otherwise handshake() comes first.
std::unique_ptr<Stream> make_stream(boost::asio::ip::tcp::socket socket, TlsSnapshot tls);

/// The client's side. handshake() verifies the certificate against `host` when `tls` wants it to.
std::unique_ptr<Stream> make_client_stream(boost::asio::ip::tcp::socket socket, TlsSnapshot tls,
                                           const std::string& host);

}  // namespace tarn::http
