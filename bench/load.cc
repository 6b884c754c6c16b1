// Closed-loop HTTP/1.1 load: sends prepared requests over N keep-alive connections, one at a time
// on each, and prints one line of JSON: rate, latency percentiles, statuses, and the CPU time a
// server process spent meanwhile. One thread, so that it can be pinned beside a pinned server.
//
//   load PORT PID CONNECTIONS COUNT FILE
//
// FILE holds requests, each as: u8 flags, u32 length (little endian), the bytes as sent. They are
// taken in order and again from the start until COUNT were answered. PID 0: no CPU time.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

namespace {

constexpr std::uint8_t kHead = 1;  // the answer has no body whatever its headers say
constexpr std::uint8_t kUnmeasured =
    2;  // work that belongs to the next request: not in percentiles

[[noreturn]] void die(const char* what) {
  std::perror(what);
  std::exit(1);
}

struct Request {
  std::uint8_t flags = 0;
  std::string_view bytes;
};

std::vector<Request> read_requests(const char* path) {
  const int file = ::open(path, O_RDONLY | O_CLOEXEC);
  struct stat info{};
  if (file < 0 || ::fstat(file, &info) != 0 || info.st_size == 0) die(path);
  const auto size = static_cast<std::size_t>(info.st_size);
  const void* mapped = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0);
  if (mapped == MAP_FAILED) die("mmap");
  std::string_view rest(static_cast<const char*>(mapped), size);
  std::vector<Request> requests;
  while (rest.size() >= 5) {
    std::uint32_t length = 0;
    std::memcpy(&length, rest.data() + 1, 4);
    requests.push_back({static_cast<std::uint8_t>(rest[0]), rest.substr(5, length)});
    rest.remove_prefix(5 + length);
  }
  return requests;
}

/// Nanoseconds of CPU all threads of a process have used: what /proc/PID/stat shows in ticks.
std::int64_t cpu_ns(pid_t pid) {
  clockid_t clock{};
  timespec time{};
  if (pid == 0 || ::clock_getcpuclockid(pid, &clock) != 0 || ::clock_gettime(clock, &time) != 0) {
    return 0;
  }
  return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
}

std::int64_t now_ns() {
  return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
}

/// Finds the end of one response in a stream of bytes; keeps no more than the head.
class ResponseParser {
 public:
  void start(bool no_body) {
    *this = {};
    no_body_ = no_body;
  }

  int status() const { return status_; }

  bool close() const { return close_; }

  /// True when the response is complete.
  bool feed(std::string_view data) {
    while (!data.empty() && state_ != State::done) {
      switch (state_) {
        case State::head:
        case State::chunk_size:
        case State::trailer: take_line_byte(data); break;
        case State::body:
        case State::chunk: skip(data); break;
        case State::done: break;
      }
    }
    return state_ == State::done;
  }

 private:
  enum class State : std::uint8_t { head, body, chunk_size, chunk, trailer, done };

  void take_line_byte(std::string_view& data) {
    const std::size_t end = data.find('\n');
    line_.append(data.substr(0, end));
    if (end == std::string_view::npos) {
      data = {};
      return;
    }
    data.remove_prefix(end + 1);
    if (!line_.empty() && line_.back() == '\r') line_.pop_back();
    on_line();
    line_.clear();
  }

  void skip(std::string_view& data) {
    const std::size_t taken = std::min<std::size_t>(left_, data.size());
    data.remove_prefix(taken);
    left_ -= taken;
    if (left_ == 0) state_ = state_ == State::body ? State::done : State::chunk_size;
  }

  void on_line() {
    if (state_ == State::head) return on_head_line();
    if (state_ == State::trailer) {
      if (line_.empty()) state_ = State::done;
      return;
    }
    if (line_.empty()) return;  // the line end after a chunk's data
    left_ = std::strtoull(line_.c_str(), nullptr, 16);
    state_ = left_ == 0 ? State::trailer : State::chunk;
  }

  void on_head_line() {
    if (line_.empty()) return on_head_end();
    if (status_ == 0) {
      status_ = line_.size() > 12 ? std::atoi(line_.c_str() + 9) : 999;
      return;
    }
    const std::size_t colon = line_.find(':');
    std::string name = line_.substr(0, colon);
    for (char& c : name)
      c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    const char* value = line_.c_str() + (colon == std::string::npos ? line_.size() : colon + 1);
    if (name == "content-length") left_ = std::strtoull(value, nullptr, 10);
    if (name == "transfer-encoding") chunked_ = true;
    if (name == "connection") close_ = std::strstr(value, "close") != nullptr;
  }

  void on_head_end() {
    if (status_ == 100) {
      start(no_body_);
    } else if (no_body_ || status_ == 204 || status_ == 304 || (!chunked_ && left_ == 0)) {
      state_ = State::done;
    } else {
      state_ = chunked_ ? State::chunk_size : State::body;
    }
  }

  State state_ = State::head;
  bool no_body_ = false, chunked_ = false, close_ = false;
  int status_ = 0;
  std::uint64_t left_ = 0;
  std::string line_;
};

struct Connection {
  int socket = -1;
  bool busy = false;
  bool wants_write = false;
  const Request* request = nullptr;
  std::size_t sent = 0;
  std::int64_t began_ns = 0;
  ResponseParser parser;
};

class Load {
 public:
  Load(std::uint16_t port, std::vector<Request> requests, std::size_t count)
      : port_(port), requests_(std::move(requests)), count_(count), epoll_(::epoll_create1(0)) {
    latencies_ns_.reserve(count);
  }

  void run(std::size_t connections, pid_t pid) {
    connections_.resize(std::min(connections, count_));
    for (auto& each : connections_)
      open(each);
    const std::int64_t cpu_before = cpu_ns(pid);
    const std::int64_t began = now_ns();
    for (auto& each : connections_)
      next(each);
    std::vector<epoll_event> events(connections_.size());
    while (answered_ < count_) {
      const int ready =
          ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 120'000);
      if (ready == 0) {
        std::fprintf(stderr, "load: no progress for two minutes\n");
        std::exit(1);
      }
      for (int i = 0; i < ready; ++i) {
        auto& connection = *static_cast<Connection*>(events[static_cast<std::size_t>(i)].data.ptr);
        if ((events[static_cast<std::size_t>(i)].events & EPOLLOUT) != 0) write(connection);
        if ((events[static_cast<std::size_t>(i)].events & ~EPOLLOUT) != 0) read(connection);
      }
    }
    report(now_ns() - began, cpu_ns(pid) - cpu_before);
  }

 private:
  void open(Connection& connection) {
    connection.socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port_);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(connection.socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      die("connect");
    }
    const int one = 1;
    ::setsockopt(connection.socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    ::fcntl(connection.socket, F_SETFL, O_NONBLOCK);
    connection.wants_write = false;
    watch(connection, EPOLL_CTL_ADD);
  }

  void watch(Connection& connection, int operation) {
    epoll_event event{};
    event.events = EPOLLIN | (connection.wants_write ? EPOLLOUT : 0U);
    event.data.ptr = &connection;
    ::epoll_ctl(epoll_, operation, connection.socket, &event);
  }

  void reopen(Connection& connection) {
    ::close(connection.socket);
    ++reconnects_;
    open(connection);
  }

  void next(Connection& connection) {
    connection.busy = started_ < count_;
    if (!connection.busy) return;
    connection.request = &requests_[started_++ % requests_.size()];
    connection.sent = 0;
    connection.parser.start((connection.request->flags & kHead) != 0);
    connection.began_ns = now_ns();
    write(connection);
  }

  void write(Connection& connection) {
    if (!connection.busy) return;
    const std::string_view bytes = connection.request->bytes;
    while (connection.sent < bytes.size()) {
      const ssize_t n = ::send(connection.socket, bytes.data() + connection.sent,
                               bytes.size() - connection.sent, MSG_NOSIGNAL);
      if (n < 0) break;  // full, or broken: reading tells which
      connection.sent += static_cast<std::size_t>(n);
    }
    const bool wants_write = connection.sent < bytes.size();
    if (wants_write != connection.wants_write) {
      connection.wants_write = wants_write;
      watch(connection, EPOLL_CTL_MOD);
    }
  }

  void read(Connection& connection) {
    const ssize_t n = ::recv(connection.socket, buffer_.data(), buffer_.size(), 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) {
      if (connection.busy) {  // an answer that never comes
        ++statuses_[0];
        ++answered_;
      }
      reopen(connection);
      return next(connection);
    }
    if (!connection.busy) return;
    if (!connection.parser.feed({buffer_.data(), static_cast<std::size_t>(n)})) return;
    ++statuses_[connection.parser.status()];
    ++answered_;
    if ((connection.request->flags & kUnmeasured) == 0) {
      latencies_ns_.push_back(now_ns() - connection.began_ns);
    }
    if (connection.parser.close()) reopen(connection);
    next(connection);
  }

  double percentile_us(double part) const {
    if (latencies_ns_.empty()) return 0;
    const auto index =
        static_cast<std::size_t>(part * static_cast<double>(latencies_ns_.size() - 1));
    return static_cast<double>(latencies_ns_[index]) / 1e3;
  }

  void report(std::int64_t elapsed_ns, std::int64_t used_ns) {
    std::ranges::sort(latencies_ns_);
    std::string statuses;
    for (const auto& [status, times] : statuses_) {
      statuses += (statuses.empty() ? "\"" : ",\"") + std::to_string(status) +
                  "\":" + std::to_string(times);
    }
    std::printf(
        "{\"answered\":%zu,\"measured\":%zu,\"seconds\":%.6f,\"cpu_seconds\":%.6f,"
        "\"p50_us\":%.1f,\"p99_us\":%.1f,\"max_us\":%.1f,\"reconnects\":%zu,"
        "\"statuses\":{%s}}\n",
        answered_, latencies_ns_.size(), static_cast<double>(elapsed_ns) / 1e9,
        static_cast<double>(used_ns) / 1e9, percentile_us(0.5), percentile_us(0.99),
        percentile_us(1), reconnects_, statuses.c_str());
  }

  std::uint16_t port_;
  std::vector<Request> requests_;
  std::size_t count_;
  int epoll_;
  std::vector<Connection> connections_;
  std::vector<std::int64_t> latencies_ns_;
  std::map<int, std::size_t> statuses_;
  std::size_t started_ = 0, answered_ = 0, reconnects_ = 0;
  std::vector<char> buffer_ = std::vector<char>(256 * 1024);
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    std::fprintf(stderr, "usage: load PORT PID CONNECTIONS COUNT FILE\n");
    return 2;
  }
  auto requests = read_requests(argv[5]);
  const auto count = static_cast<std::size_t>(std::atoll(argv[4]));
  if (requests.empty() || count == 0) return 2;
  Load load(static_cast<std::uint16_t>(std::atoi(argv[1])), std::move(requests), count);
  load.run(static_cast<std::size_t>(std::atoi(argv[3])), std::atoi(argv[2]));
}
