#include "testing/cutting_proxy.h"

#include <algorithm>
#include <filesystem>
#include <list>
#include <mutex>
#include <thread>
#include <utility>

#include <unistd.h>

#include <sys/socket.h>
#include <sys/un.h>

#include "testing/temp_dir.h"

namespace tarn::testing {

namespace {

int unix_socket(const std::string& path, bool listening) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{.sun_family = AF_UNIX};
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  const auto* raw = reinterpret_cast<const sockaddr*>(&address);
  const int rc = listening ? ::bind(fd, raw, sizeof address) : ::connect(fd, raw, sizeof address);
  if (rc != 0 || (listening && ::listen(fd, 64) != 0)) {
    ::close(fd);
    return -1;
  }
  return fd;
}

/// Its sockets are closed when both pumps have been joined, so that no number is used twice.
struct Link {
  int client = -1;
  int server = -1;
  std::unique_ptr<StreamRule> rule;
  int pumps_running = 2;  // guarded by the proxy's mutex
  std::thread requests;
  std::thread answers;

  /// The server still says what it has to say, to nobody: when it has hung up, it is done.
  void cut() const {
    ::shutdown(client, SHUT_RDWR);
    ::shutdown(server, SHUT_WR);
  }
};

void read_to_end(int from) {
  char buffer[16'384];
  while (::read(from, buffer, sizeof buffer) > 0) {
  }
}

void pump(int from, int to, const std::function<StreamRule::Verdict(std::string_view)>& look) {
  char buffer[16'384];
  ssize_t got = 0;
  while ((got = ::read(from, buffer, sizeof buffer)) > 0) {
    const auto verdict = look({buffer, static_cast<std::size_t>(got)});
    for (std::size_t sent = 0; sent < verdict.pass;) {
      const ssize_t more = ::send(to, buffer + sent, verdict.pass - sent, MSG_NOSIGNAL);
      if (more <= 0) return;
      sent += static_cast<std::size_t>(more);
    }
    if (verdict.cut) return;
  }
}

}  // namespace

struct CuttingProxy::Impl {
  TempDir dir;
  std::string target;
  std::string path = dir.file(std::filesystem::path(target).filename().string());
  MakeRule make_rule;
  mutable std::mutex mutex;
  std::list<Link> links;  // guarded by mutex
  bool closing = false;   // guarded by mutex
  int listener = unix_socket(path, true);
  std::thread acceptor;

  Impl(std::string target_socket, MakeRule maker)
      : target(std::move(target_socket)), make_rule(std::move(maker)) {
    acceptor = std::thread([this] { accept_all(); });
  }

  ~Impl() {
    {
      const std::lock_guard lock(mutex);
      closing = true;
    }
    ::shutdown(listener, SHUT_RDWR);
    acceptor.join();
    ::close(listener);
    cut_all();
    while (!links.empty())
      end(links.front());
  }

  void cut_all() {
    const std::lock_guard lock(mutex);
    for (const Link& link : links) {
      link.cut();
      if (closing) ::shutdown(link.server, SHUT_RDWR);
    }
  }

  std::size_t open() const {
    const std::lock_guard lock(mutex);
    return static_cast<std::size_t>(
        std::ranges::count_if(links, [](const Link& link) { return link.pumps_running > 0; }));
  }

  void accept_all() {
    for (int client = 0; (client = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC)) >= 0;) {
      reap();
      auto rule = make_rule();
      const int server = rule != nullptr ? unix_socket(target, false) : -1;
      if (server < 0) {
        ::close(client);
        continue;
      }
      const std::lock_guard lock(mutex);
      if (closing) {
        ::close(client);
        ::close(server);
        return;
      }
      start(links.emplace_back(Link{.client = client, .server = server, .rule = std::move(rule)}));
    }
  }

  void start(Link& link) {
    link.requests = std::thread([this, &link] {
      pump(link.client, link.server, [&](auto bytes) { return link.rule->on_request(bytes); });
      ended(link);
    });
    link.answers = std::thread([this, &link] {
      pump(link.server, link.client, [&](auto bytes) { return link.rule->on_answer(bytes); });
      link.cut();
      read_to_end(link.server);
      ended(link);
    });
  }

  void ended(Link& link) const {
    link.cut();
    const std::lock_guard lock(mutex);
    --link.pumps_running;
  }

  /// Takes away what has ended.
  void reap() {
    for (;;) {
      Link* gone = nullptr;
      {
        const std::lock_guard lock(mutex);
        const auto found =
            std::ranges::find_if(links, [](const Link& link) { return link.pumps_running == 0; });
        if (found != links.end()) gone = &*found;
      }
      if (gone == nullptr) return;
      end(*gone);
    }
  }

  void end(Link& link) {
    link.requests.join();
    link.answers.join();
    ::close(link.client);
    ::close(link.server);
    const std::lock_guard lock(mutex);
    links.remove_if([&](const Link& other) { return &other == &link; });
  }
};

CuttingProxy::CuttingProxy(std::string target_socket, MakeRule make_rule)
    : impl_(std::make_unique<Impl>(std::move(target_socket), std::move(make_rule))) {}

CuttingProxy::~CuttingProxy() = default;

std::string CuttingProxy::directory() const {
  return impl_->dir.str();
}

std::size_t CuttingProxy::connections() const {
  return impl_->open();
}

void CuttingProxy::cut_all() {
  impl_->cut_all();
}

}  // namespace tarn::testing
