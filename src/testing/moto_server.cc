#include "testing/moto_server.h"

#include <cstdlib>
#include <filesystem>
#include <string_view>

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <sys/prctl.h>

namespace tarn::testing {
namespace {

constexpr const char* kProgram = "build/venv/bin/moto_server";

/// What the child says until it serves: "... Running on http://127.0.0.1:41234".
std::optional<std::string> read_url(int fd) {
  constexpr std::string_view kMark = "Running on http://127.0.0.1:";
  std::string said;
  char piece[512];
  while (said.size() < 100'000) {
    const ssize_t got = ::read(fd, piece, sizeof piece);
    if (got <= 0) return std::nullopt;
    said.append(piece, static_cast<std::size_t>(got));
    const std::size_t mark = said.find(kMark);
    if (mark == said.npos) continue;
    const std::size_t begin = mark + kMark.size();
    const std::size_t end = said.find_first_not_of("0123456789", begin);
    if (end != said.npos) return "http://127.0.0.1:" + said.substr(begin, end - begin);
  }
  return std::nullopt;
}

/// Whatever it says later goes nowhere: a full pipe would stop it.
void drain_in_child(int from) {
  char piece[4'096];
  while (::read(from, piece, sizeof piece) > 0) {
  }
  ::_exit(0);
}

std::optional<std::string> start() {
  if (!std::filesystem::exists(kProgram)) return std::nullopt;
  int pipe[2];
  if (::pipe2(pipe, O_CLOEXEC) != 0) return std::nullopt;
  const pid_t server = ::fork();
  if (server == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::dup2(pipe[1], STDOUT_FILENO);
    ::dup2(pipe[1], STDERR_FILENO);
    ::setenv("S3_UPLOAD_PART_MIN_SIZE", "1", 1);
    ::execl(kProgram, kProgram, "-H", "127.0.0.1", "-p", "0", nullptr);
    ::_exit(127);
  }
  ::close(pipe[1]);
  const auto url = server > 0 ? read_url(pipe[0]) : std::nullopt;
  if (url && ::fork() == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    drain_in_child(pipe[0]);
  }
  ::close(pipe[0]);
  return url;
}

}  // namespace

std::optional<std::string> moto_url() {
  static const std::optional<std::string> url = start();
  return url;
}

}  // namespace tarn::testing
