#include "http/raw_server.h"

#include <algorithm>

#include <unistd.h>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

namespace tarn::http::testing {

namespace {

void bound_waits(int handle) {
  constexpr timeval kTenSeconds = {.tv_sec = 10, .tv_usec = 0};
  ::setsockopt(handle, SOL_SOCKET, SO_RCVTIMEO, &kTenSeconds, sizeof kTenSeconds);
  ::setsockopt(handle, SOL_SOCKET, SO_SNDTIMEO, &kTenSeconds, sizeof kTenSeconds);
}

}  // namespace

bool RawPeer::fill() {
  char bytes[16'384];
  const auto count = ::recv(handle_, bytes, sizeof bytes, 0);
  if (count > 0) buffered_.append(bytes, static_cast<std::size_t>(count));
  return count > 0;
}

std::string RawPeer::receive_until(std::string_view end) {
  while (buffered_.find(end) == std::string::npos && fill()) {
  }
  const auto at = buffered_.find(end);
  return receive_bytes(at == std::string::npos ? buffered_.size() : at + end.size());
}

std::string RawPeer::receive_bytes(std::size_t count) {
  while (buffered_.size() < count && fill()) {
  }
  std::string out = buffered_.substr(0, count);
  buffered_.erase(0, out.size());
  return out;
}

void RawPeer::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(handle_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void RawPeer::reset() {
  constexpr linger kNone = {.l_onoff = 1, .l_linger = 0};
  ::setsockopt(handle_, SOL_SOCKET, SO_LINGER, &kNone, sizeof kNone);
}

void RawPeer::hang_up() {
  ::shutdown(handle_, SHUT_RDWR);
}

void RawPeer::wait_for_end() {
  while (fill()) {
  }
}

RawServer::RawServer(std::vector<Script> scripts)
    : scripts_(std::move(scripts)), listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ::bind(listener_, reinterpret_cast<sockaddr*>(&address), size);
  ::listen(listener_, 64);
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_all(); });
}

RawServer::~RawServer() {
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  ::close(listener_);
  for (std::thread& peer : peers_)
    peer.join();
}

std::size_t RawServer::connections() {
  const std::scoped_lock lock(mutex_);
  return peers_.size();
}

void RawServer::accept_all() {
  for (;;) {
    const int handle = ::accept(listener_, nullptr, nullptr);
    if (handle < 0) return;
    bound_waits(handle);
    const std::scoped_lock lock(mutex_);
    const Script& script = scripts_[std::min(peers_.size(), scripts_.size() - 1)];
    peers_.emplace_back([handle, &script] {
      RawPeer peer(handle);
      script(peer);
      ::close(handle);
    });
  }
}

}  // namespace tarn::http::testing
