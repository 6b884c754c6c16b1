#include "http/test_client.h"

#include <algorithm>
#include <charconv>

#include <poll.h>
#include <unistd.h>

#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include "base/error.h"
#include "http/request_head.h"
#include "testing/co_test.h"

namespace tarn::http::testing {

namespace {

constexpr int kPatienceMs = 10'000;

Task<> stop_server(Server& server) {
  co_await server.stop();
}

bool wait_readable(int fd, int timeout_ms) {
  pollfd one{.fd = fd, .events = POLLIN, .revents = 0};
  return ::poll(&one, 1, timeout_ms) > 0;
}

}  // namespace

ServerConfig quick_config() {
  ServerConfig config;
  config.listen_address = "127.0.0.1:0";
  config.shutdown_grace = std::chrono::seconds(5);
  return config;
}

RunningServer::RunningServer(FunctionHandler::Function function, ServerConfig config,
                             std::size_t loops)
    : loops_(loops), handler_(std::move(function)), server_(std::move(config), loops_, handler_) {
  server_.start();
}

RunningServer::~RunningServer() {
  stop();
}

void RunningServer::stop() {
  if (std::exchange(stopped_, true)) return;
  tarn::testing::run_co([this] { return stop_server(server_); });
}

std::optional<std::string> ClientResponse::header(std::string_view name) const {
  std::string_view rest = head;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find("\r\n"));
    rest.remove_prefix(std::min(rest.size(), line.size() + 2));
    const std::size_t colon = line.find(": ");
    if (colon != std::string_view::npos && equal_without_case(line.substr(0, colon), name)) {
      return std::string(line.substr(colon + 2));
    }
  }
  return std::nullopt;
}

struct TestClient::Transport {
  int fd = -1;
  SSL_CTX* context = nullptr;
  SSL* ssl = nullptr;

  ~Transport() {
    SSL_free(ssl);
    SSL_CTX_free(context);
    if (fd >= 0) ::close(fd);
  }

  long read(char* into, std::size_t size) {
    if (ssl != nullptr) {
      if (SSL_pending(ssl) == 0 && !wait_readable(fd, kPatienceMs)) return -1;
      return SSL_read(ssl, into, static_cast<int>(size));
    }
    if (!wait_readable(fd, kPatienceMs)) return -1;
    return ::recv(fd, into, size, 0);
  }

  long write(std::string_view bytes) {
    if (ssl != nullptr) return SSL_write(ssl, bytes.data(), static_cast<int>(bytes.size()));
    return ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
};

TestClient::TestClient(std::uint16_t port, std::optional<std::string> ca_file)
    : transport_(std::make_unique<Transport>()) {
  transport_->fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval patience{.tv_sec = kPatienceMs / 1000, .tv_usec = 0};
  ::setsockopt(transport_->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
  ::setsockopt(transport_->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(transport_->fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    throw Error(ErrorCode::unavailable, "cannot connect");
  }
  if (!ca_file) return;
  transport_->context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_load_verify_locations(transport_->context, ca_file->c_str(), nullptr);
  SSL_CTX_set_verify(transport_->context, SSL_VERIFY_PEER, nullptr);
  transport_->ssl = SSL_new(transport_->context);
  SSL_set_fd(transport_->ssl, transport_->fd);
  if (SSL_connect(transport_->ssl) != 1) {
    ERR_clear_error();
    throw Error(ErrorCode::unavailable, "TLS handshake failed");
  }
}

TestClient::~TestClient() = default;

bool TestClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const long sent = transport_->write(bytes);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool TestClient::fill() {
  char piece[65'536];
  const long got = transport_->read(piece, sizeof(piece));
  if (got <= 0) return false;
  buffered_.append(piece, static_cast<std::size_t>(got));
  return true;
}

std::string TestClient::receive_bytes(std::size_t count) {
  while (buffered_.size() < count && fill()) {
  }
  std::string taken = buffered_.substr(0, count);
  buffered_.erase(0, taken.size());
  return taken;
}

ClientResponse TestClient::receive(bool head) {
  ClientResponse response;
  std::size_t end = 0;
  while ((end = buffered_.find("\r\n\r\n")) == std::string::npos) {
    if (!fill()) return response;
  }
  response.head = receive_bytes(end + 4);
  if (response.head.size() > 12) {
    std::from_chars(response.head.data() + 9, response.head.data() + 12, response.status);
  }
  const bool bodiless = response.status < 200 || response.status == 204 || response.status == 304;
  if (head || bodiless) {
    response.complete = true;
  } else if (const auto length = response.header("Content-Length")) {
    const std::size_t size = std::stoul(*length);
    response.body = receive_bytes(size);
    response.complete = response.body.size() == size;
  } else if (response.header("Transfer-Encoding")) {
    for (;;) {
      std::size_t line = 0;
      while ((line = buffered_.find("\r\n")) == std::string::npos) {
        if (!fill()) return response;
      }
      const std::size_t size = std::stoul(receive_bytes(line + 2), nullptr, 16);
      response.body += receive_bytes(size);
      if (receive_bytes(2) != "\r\n") return response;
      if (size == 0) break;
    }
    response.complete = true;
  } else {
    while (fill()) {
    }
    response.body = std::exchange(buffered_, {});
    response.complete = true;
  }
  return response;
}

bool TestClient::at_end() {
  if (!buffered_.empty()) return false;
  char one = 0;
  return transport_->read(&one, 1) == 0;
}

void TestClient::finish_sending() {
  ::shutdown(transport_->fd, SHUT_WR);
}

bool TestClient::silent_for(std::chrono::milliseconds time) {
  return buffered_.empty() && !wait_readable(transport_->fd, static_cast<int>(time.count()));
}

}  // namespace tarn::http::testing
