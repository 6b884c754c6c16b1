// The system calls the local store makes, behind one door: so that paths are opened safely in one
// place and tests can make any call fail.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <sys/stat.h>
#include <sys/types.h>

#include "base/error.h"

namespace tarn::block::fs {

/// Owns a descriptor.
class Fd {
 public:
  Fd() = default;

  explicit Fd(int fd) : fd_(fd) {}

  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

  Fd& operator=(Fd&& other) noexcept;

  ~Fd() { reset(); }

  int get() const { return fd_; }

  explicit operator bool() const { return fd_ >= 0; }

  void reset();

  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

/// Raw calls: -1 and errno on failure. `name` is a single component, `path` several; neither may
/// leave `dir`, and no symbolic link is followed, whatever they hold. Thread-safe. The virtual
/// functions are what a test overrides to fail.
class Files {
 public:
  virtual ~Files() = default;

  /// Opens `path` beneath `dir` ("" = dir itself).
  virtual int open(int dir, const std::string& path, int flags, mode_t mode = 0);
  virtual int mkdir(int dir, const std::string& name, mode_t mode);
  virtual int rename(int from_dir, const std::string& from, int to_dir, const std::string& to);
  virtual int unlink(int dir, const std::string& name, bool directory);
  virtual int stat(int dir, const std::string& name, struct ::stat* out);
  virtual int fstat(int fd, struct ::stat* out);
  virtual ssize_t pread(int fd, char* out, std::size_t count, std::uint64_t at);
  virtual ssize_t pwrite(int fd, const char* bytes, std::size_t count, std::uint64_t at);
  /// From `from_at` in `from` to `to_at` in `to`; may copy less. 0 at the end of `from`.
  virtual ssize_t copy_range(int from, std::uint64_t from_at, int to, std::uint64_t to_at,
                             std::size_t count);
  /// From `at` in `fd` to a socket; may send less, and 0 at the end of `fd`.
  virtual ssize_t send(int socket, int fd, std::uint64_t at, std::size_t count);
  /// Whether these bytes can be had without waiting for the disk, as far as the system can tell:
  /// false where it cannot. Does not wait itself.
  virtual bool is_cached(int fd, std::uint64_t at, std::size_t count);
  virtual int sync_data(int fd);
  virtual int sync_directory(int fd);
};

Files& system_files();

/// Files::open() where the kernel or a sandbox has no openat2: component by component, each of
/// which must be no link.
int open_stepwise(int dir, const std::string& path, int flags, mode_t mode);

/// Turns errno into Error: full disks and quotas are storage_full, names the system refuses
/// invalid_argument, exhausted descriptors or memory unavailable, the rest internal.
[[noreturn]] void throw_errno(int error, std::string_view what);

/// All of `bytes`; throws.
void write_all(Files& files, int fd, std::string_view bytes, std::uint64_t at);
/// Up to `count` bytes, fewer only at the end of the file; throws.
std::size_t read_some(Files& files, int fd, char* out, std::size_t count, std::uint64_t at);

}  // namespace tarn::block::fs
