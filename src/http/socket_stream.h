// Makes streams of accepted sockets. Apart from stream.h because it names Asio's sockets.
#pragma once

#include <memory>

#include <boost/asio/ip/tcp.hpp>

#include "http/stream.h"
#include "http/tls.h"

namespace tarn::http {

/// Plain when `tls` is null; otherwise handshake() comes first.
std::unique_ptr<Stream> make_stream(boost::asio::ip::tcp::socket socket, TlsSnapshot tls);

}  // namespace tarn::http
