#include "testing/postgres_cluster.h"

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <unistd.h>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "testing/temp_dir.h"

namespace tarn::testing {

namespace fs = std::filesystem;

namespace {

std::optional<std::string> find_binaries() {
  const auto good = [](const fs::path& folder) {
    return fs::exists(folder / "postgres") && fs::exists(folder / "initdb");
  };
  if (const char* given = std::getenv("TARN_POSTGRES_BIN")) {
    // Another version must not be tried in its place unnoticed.
    if (!good(given)) throw std::runtime_error(std::string("no PostgreSQL in ") + given);
    return given;
  }
  std::vector<fs::path> found;
  std::error_code ignored;
  for (const auto& version : fs::directory_iterator("/usr/lib/postgresql", ignored)) {
    if (good(version.path() / "bin")) found.push_back(version.path() / "bin");
  }
  if (!found.empty()) return std::ranges::max(found).string();
  std::string path = std::getenv("PATH") ? std::getenv("PATH") : "";
  for (std::size_t begin = 0; begin < path.size();) {
    const std::size_t end = std::min(path.find(':', begin), path.size());
    if (good(path.substr(begin, end - begin))) return path.substr(begin, end - begin);
    begin = end + 1;
  }
  return std::nullopt;
}

/// PostgreSQL refuses to run as root.
std::vector<std::string> as_ordinary_user(std::vector<std::string> command) {
  if (::geteuid() != 0) return command;
  const std::string user = ::getpwnam("postgres") != nullptr ? "postgres" : "nobody";
  std::vector<std::string> prefixed = {"setpriv", "--reuid=" + user, "--regid=" + user,
                                       "--clear-groups", "--pdeathsig=QUIT"};
  if (user == "nobody") prefixed[2] = "--regid=nogroup";
  prefixed.insert(prefixed.end(), command.begin(), command.end());
  return prefixed;
}

/// Starts a program in a process group of its own; its output goes to `output`.
pid_t start_program(std::vector<std::string> command, int output) {
  std::vector<char*> arguments;
  for (std::string& word : command)
    arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::setpgid(0, 0);
    ::dup2(output, 1);
    ::dup2(output, 2);
    ::execvp(arguments[0], arguments.data());
    ::_exit(127);
  }
  return pid;
}

int free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{.sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
  socklen_t size = sizeof address;
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  const bool bound = ::bind(fd, raw, size) == 0 && ::getsockname(fd, raw, &size) == 0;
  ::close(fd);
  if (!bound) throw std::runtime_error("no free port");
  return ntohs(address.sin_port);
}

}  // namespace

bool have_postgres() {
  static const bool found = find_binaries().has_value();
  return found;
}

struct PostgresCluster::Impl {
  TempDir dir;
  std::vector<std::string> settings;
  std::string binaries = find_binaries().value_or("");
  std::string data = dir.file("data");
  std::string sockets = dir.file("run");
  int port = 5'432;  // in the name of the socket, and of TCP if it listens there
  bool loopback = false;
  pid_t server = -1;
  std::thread reader;  // of the server's log

  std::mutex mutex;
  std::condition_variable changed;
  std::string log;  // guarded by mutex
  bool log_ended = false;

  void prepare() {
    if (binaries.empty()) throw std::runtime_error("PostgreSQL's binaries were not found");
    fs::permissions(dir.path(), fs::perms(0755));
    for (const std::string& path : {data, sockets}) {
      fs::create_directory(path);
      const passwd* user = ::getpwnam("postgres");
      if (user == nullptr) user = ::getpwnam("nobody");
      if (::geteuid() == 0 && ::chown(path.c_str(), user->pw_uid, user->pw_gid) != 0)
        throw std::runtime_error("chown " + path);
    }
    run_and_read({binaries + "/initdb", "-D", data, "-U", "tarn", "-A", "trust", "-E", "UTF8",
                  "--locale=C", "--no-sync"});
    int status = 0;
    ::waitpid(std::exchange(server, -1), &status, 0);
    reader.join();
    if (status != 0) throw std::runtime_error("initdb failed: " + log);
  }

  void run_and_read(std::vector<std::string> command) {
    int pipe[2];
    if (::pipe2(pipe, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
    log.clear();
    log_ended = false;
    server = start_program(as_ordinary_user(std::move(command)), pipe[1]);
    ::close(pipe[1]);
    reader = std::thread([this, from = pipe[0]] {
      char buffer[4'096];
      ssize_t got = 0;
      while ((got = ::read(from, buffer, sizeof buffer)) > 0) {
        const std::lock_guard lock(mutex);
        log.append(buffer, static_cast<std::size_t>(got));
        changed.notify_all();
      }
      ::close(from);
      const std::lock_guard lock(mutex);
      log_ended = true;
      changed.notify_all();
    });
  }
};

PostgresCluster::PostgresCluster(std::vector<std::string> settings)
    : impl_(std::make_unique<Impl>()) {
  impl_->settings = std::move(settings);
  impl_->prepare();
  start();
}

PostgresCluster::~PostgresCluster() {
  kill();
}

PostgresCluster& PostgresCluster::shared() {
  static PostgresCluster cluster;
  return cluster;
}

std::string PostgresCluster::connection_string(std::string_view database) const {
  return "host=" + impl_->sockets + " port=" + std::to_string(impl_->port) +
         " user=tarn dbname=" + std::string(database);
}

const std::string& PostgresCluster::socket_directory() const {
  return impl_->sockets;
}

std::string PostgresCluster::socket_path() const {
  return impl_->sockets + "/.s.PGSQL." + std::to_string(impl_->port);
}

int PostgresCluster::port() const {
  return impl_->port;
}

int PostgresCluster::listen_on_loopback() {
  kill();
  impl_->loopback = true;
  for (int left = 10;; --left) {
    impl_->port = free_port();  // which somebody else may take meanwhile
    try {
      start();
      return impl_->port;
    } catch (const std::runtime_error&) {
      if (left == 0) throw;
      kill();
    }
  }
}

void PostgresCluster::kill() {
  if (impl_->server == -1) return;
  // QUIT: the postmaster ends its children and does not clean up. KILL would leave them behind.
  ::kill(impl_->server, SIGQUIT);
  ::waitpid(std::exchange(impl_->server, -1), nullptr, 0);
  impl_->reader.join();
}

void PostgresCluster::be_replica(bool yes) {
  std::string version;
  std::ifstream(impl_->data + "/PG_VERSION") >> version;
  const bool old = version == "11";  // has a file of settings for it
  const std::string sign = impl_->data + (old ? "/recovery.conf" : "/standby.signal");
  if (!yes) {
    fs::remove(sign);
  } else {
    std::ofstream(sign) << (old ? "standby_mode = 'on'\n" : "");
    fs::permissions(sign, fs::perms(0666));
  }
}

void PostgresCluster::start() {
  std::vector<std::string> command = {impl_->binaries + "/postgres", "-D", impl_->data};
  for (const std::string& setting :
       {std::string("fsync=off"), std::string("full_page_writes=off"),
        std::string(impl_->loopback ? "listen_addresses=127.0.0.1" : "listen_addresses="),
        "port=" + std::to_string(impl_->port), "unix_socket_directories=" + impl_->sockets,
        std::string("shared_buffers=16MB"), std::string("max_connections=60"),
        std::string("max_locks_per_transaction=256"), std::string("logging_collector=off")}) {
    command.insert(command.end(), {"-c", setting});
  }
  for (const std::string& setting : impl_->settings)
    command.insert(command.end(), {"-c", setting});
  impl_->run_and_read(std::move(command));
  std::unique_lock lock(impl_->mutex);
  const auto ready = [this] {
    return impl_->log_ended || impl_->log.find("ready to accept") != std::string::npos;
  };
  if (!impl_->changed.wait_for(lock, std::chrono::seconds(60), ready) || impl_->log_ended) {
    throw std::runtime_error("PostgreSQL did not start: " + impl_->log);
  }
}

}  // namespace tarn::testing
