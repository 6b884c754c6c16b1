#include "io/durable.h"

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include "base/error.h"
#include "base/format.h"

namespace tarn::io {

namespace {

namespace filesystem = std::filesystem;

[[noreturn]] void refuse(std::string_view what, const std::string& path, int error) {
  throw Error(ErrorCode::unavailable,
              format("cannot {} {}: {}", what, path, std::generic_category().message(error)));
}

/// Closes what it opened, whatever happens.
class Descriptor {
 public:
  Descriptor(const std::string& path, int flags, mode_t mode = 0)
      : fd_(::open(path.c_str(), flags | O_CLOEXEC, mode)) {}

  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }

  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return fd_; }

 private:
  const int fd_;
};

bool is_out_of_reach(int error) {
  return error == EACCES || error == EPERM || error == EROFS || error == EINVAL || error == ENOTSUP;
}

void sync_directory(const std::string& path) {
  const Descriptor directory(path, O_RDONLY | O_DIRECTORY);
  const bool failed = directory.get() < 0 || ::fsync(directory.get()) != 0;
  if (failed && !is_out_of_reach(errno)) refuse("sync", path, errno);
}

}  // namespace

void make_directory_durable(const std::string& path) {
  std::error_code failed;
  filesystem::path directory = filesystem::absolute(path, failed).lexically_normal();
  if (!failed) filesystem::create_directories(directory, failed);
  if (failed) refuse("make", path, failed.value());
  if (!directory.has_filename()) directory = directory.parent_path();  // "a/"
  for (; directory.has_relative_path(); directory = directory.parent_path()) {
    sync_directory(directory.parent_path().string());
  }
}

void write_file_durable(const std::string& path, std::string_view bytes) {
  const std::string half = path + ".new";
  {
    const Descriptor file(half, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file.get() < 0) refuse("write", half, errno);
    while (!bytes.empty()) {
      const auto written = ::write(file.get(), bytes.data(), bytes.size());
      if (written < 0 && errno != EINTR) refuse("write", half, errno);
      if (written > 0) bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    if (::fsync(file.get()) != 0) refuse("sync", half, errno);
  }
  if (std::rename(half.c_str(), path.c_str()) != 0) refuse("write", path, errno);
  sync_directory(filesystem::path(path).parent_path().string());
}

}  // namespace tarn::io
