#include "app/control.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/context.h"
#include "base/error.h"
#include "base/format.h"
#include "base/log.h"
#include "io/task_group.h"

namespace tarn::app {
namespace {

namespace asio = boost::asio;
using Protocol = asio::local::stream_protocol;

constexpr std::size_t kLineBytesMax = 8'192;
constexpr std::size_t kSessionsMax = 8;

Error system_error(std::string_view what) {
  return Error(ErrorCode::unavailable, format("{}: {}", what, std::strerror(errno)));
}

/// The address of the socket in `directory`. Its path may be longer than an address may be, so the
/// directory is named through a descriptor, which stays open as long as this lives.
class SocketAddress {
 public:
  explicit SocketAddress(const std::filesystem::path& directory)
      : fd_(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)) {
    if (fd_ < 0) throw system_error(directory.string());
    address_.sun_family = AF_UNIX;
    const std::string path = format("/proc/self/fd/{}/{}", fd_, kControlSocketName);
    std::memcpy(address_.sun_path, path.data(), path.size());
  }

  ~SocketAddress() { ::close(fd_); }

  SocketAddress(const SocketAddress&) = delete;
  SocketAddress& operator=(const SocketAddress&) = delete;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address_); }

  static socklen_t size() { return sizeof(sockaddr_un); }

  void unlink() const { ::unlinkat(fd_, kControlSocketName.data(), 0); }

 private:
  int fd_;
  sockaddr_un address_{};
};

int make_socket() {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) throw system_error("socket");
  return fd;
}

/// The file's mode keeps others out; this does where a file system ignores modes.
bool is_trusted(Protocol::socket& peer) {
  ucred who{};
  socklen_t size = sizeof who;
  if (::getsockopt(peer.native_handle(), SOL_SOCKET, SO_PEERCRED, &who, &size) != 0) return false;
  return who.uid == 0 || who.uid == ::geteuid();
}

}  // namespace

struct ControlSocket::State {
  State(std::filesystem::path d, kv::Store& s, asio::any_io_executor e)
      : directory(std::move(d)), store(s), executor(std::move(e)), acceptor(executor) {}

  Task<> run_acceptor();
  Task<> run_session(Protocol::socket peer);
  Task<std::string> answer(std::string line);

  const std::filesystem::path directory;
  kv::Store& store;
  const asio::any_io_executor executor;
  Protocol::acceptor acceptor;
  std::size_t sessions = 0;  // the executor's own
  io::TaskGroup tasks;
};

Task<> ControlSocket::State::run_acceptor() {
  while (true) {
    auto peer = co_await acceptor.async_accept(asio::use_awaitable);
    if (!is_trusted(peer) || sessions >= kSessionsMax) continue;
    ++sessions;
    tasks.spawn(executor, "control", run_session(std::move(peer)));
  }
}

Task<> ControlSocket::State::run_session(Protocol::socket peer) {
  std::string input;
  boost::system::error_code error;
  while (true) {
    const std::size_t length =
        co_await asio::async_read_until(peer, asio::dynamic_buffer(input, kLineBytesMax), '\n',
                                        asio::redirect_error(asio::use_awaitable, error));
    if (error) break;  // hung up, or no line in kLineBytesMax
    std::string line = input.substr(0, length - 1);
    input.erase(0, length);
    const std::string reply = co_await answer(std::move(line)) + '\n';
    co_await asio::async_write(peer, asio::buffer(reply),
                               asio::redirect_error(asio::use_awaitable, error));
    if (error) break;
  }
  --sessions;
}

Task<std::string> ControlSocket::State::answer(std::string line) {
  constexpr std::string_view kCheckpoint = "checkpoint ";
  if (!line.starts_with(kCheckpoint)) co_return "error unknown command";
  std::string target = line.substr(kCheckpoint.size());
  if (!target.starts_with('/')) co_return "error the directory's path must be absolute";
  Context ctx;
  const auto begin = Context::SteadyClock::now();
  try {
    co_await store.checkpoint(ctx, target);
  } catch (const Error& failure) {
    log::warn("checkpoint failed", {{"directory", target}, {"error", failure.message()}});
    co_return format("error {}", failure.message());
  }
  const auto took =
      std::chrono::duration_cast<std::chrono::milliseconds>(Context::SteadyClock::now() - begin);
  log::info("checkpoint made", {{"directory", target}, {"took_ms", took.count()}});
  co_return "ok";
}

ControlSocket::ControlSocket(std::filesystem::path directory, kv::Store& store,
                             asio::any_io_executor executor)
    : state_(std::make_unique<State>(std::move(directory), store, std::move(executor))) {}

ControlSocket::~ControlSocket() = default;

void ControlSocket::start() {
  const SocketAddress address(state_->directory);
  const int fd = make_socket();
  try {
    // Before bind, so that the file never has another mode.
    if (::fchmod(fd, 0600) != 0) throw system_error("control socket");
    address.unlink();
    if (::bind(fd, address.get(), SocketAddress::size()) != 0 || ::listen(fd, 8) != 0) {
      throw system_error("control socket");
    }
    state_->acceptor.assign(Protocol(), fd);
  } catch (...) {
    ::close(fd);
    throw;
  }
  state_->tasks.spawn(state_->executor, "control_acceptor", state_->run_acceptor());
}

Task<> ControlSocket::stop() {
  state_->tasks.cancel();
  co_await state_->tasks.join();
  if (!state_->acceptor.is_open()) co_return;
  SocketAddress(state_->directory).unlink();
  state_->acceptor.close();
}

ControlClient::ControlClient(const std::filesystem::path& directory) : fd_(-1) {
  const SocketAddress address(directory);
  const int fd = make_socket();
  if (::connect(fd, address.get(), SocketAddress::size()) != 0) {
    const Error error = system_error("no server answers in the metadata directory");
    ::close(fd);
    throw error;
  }
  fd_ = fd;
}

ControlClient::~ControlClient() {
  ::close(fd_);
}

void ControlClient::run(std::string_view line) {
  if (line.size() >= kLineBytesMax || line.find('\n') != line.npos) {
    throw Error(ErrorCode::invalid_argument, "the path is too long, or holds a line break");
  }
  std::string rest = std::string(line) + '\n';
  while (!rest.empty()) {
    const ssize_t sent = ::send(fd_, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EINTR) throw system_error("the server went away");
    if (sent > 0) rest.erase(0, static_cast<std::size_t>(sent));
  }
  std::string answer;
  while (!answer.ends_with('\n')) {
    char piece[512];
    const ssize_t got = ::recv(fd_, piece, sizeof piece, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw system_error("the server went away");
    if (got == 0) throw Error(ErrorCode::unavailable, "the server hung up");
    answer.append(piece, static_cast<std::size_t>(got));
  }
  answer.pop_back();
  if (answer == "ok") return;
  throw Error(ErrorCode::unavailable, answer.starts_with("error ")
                                          ? answer.substr(6)
                                          : "the server's answer makes no sense");
}

}  // namespace tarn::app
