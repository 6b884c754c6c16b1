#include "block/fs/files.h"

#include <atomic>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include <linux/openat2.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "base/format.h"

namespace tarn::block::fs {

namespace {

std::atomic<bool> openat2_missing{false};
std::atomic<bool> cachestat_missing{false};  // before Linux 6.5

// As in <linux/mman.h> of newer systems than the ones we build on.
constexpr long kCachestat = 451;

struct CacheRange {
  std::uint64_t at, count;
};

struct CacheCounts {
  std::uint64_t cached = 0, dirty = 0, writeback = 0, evicted = 0, recently_evicted = 0;
};

}  // namespace

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

void Fd::reset() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

int open_stepwise(int dir, const std::string& path, int flags, mode_t mode) {
  Fd current;
  std::size_t at = 0;
  for (;;) {
    const auto slash = path.find('/', at);
    const auto name = path.substr(at, slash == std::string::npos ? slash : slash - at);
    if (name == "..") {
      errno = EXDEV;
      return -1;
    }
    const int base = current ? current.get() : dir;
    if (slash == std::string::npos) {
      Fd last(::openat(base, name.c_str(), flags | O_NOFOLLOW | O_CLOEXEC, mode));
      struct ::stat status = {};
      if (last && (flags & O_PATH) != 0 && ::fstat(last.get(), &status) == 0 &&
          S_ISLNK(status.st_mode)) {
        errno = ELOOP;  // O_PATH opens the link itself instead of refusing it
        return -1;
      }
      return last.release();
    }
    Fd next(::openat(base, name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!next) return -1;
    current = std::move(next);
    at = slash + 1;
  }
}

int Files::open(int dir, const std::string& path, int flags, mode_t mode) {
  flags |= O_CLOEXEC;
  if ((flags & O_PATH) == 0) flags |= O_NOCTTY;
  const std::string& safe = path.empty() ? std::string(".") : path;
  constexpr int kTries = 4;  // EAGAIN: a rename elsewhere raced with the lookup
  for (int i = 0; i < kTries && !openat2_missing.load(std::memory_order_relaxed); ++i) {
    struct open_how how = {};
    how.flags = static_cast<std::uint64_t>(static_cast<unsigned>(flags));
    how.mode = mode;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
    const auto fd = ::syscall(SYS_openat2, dir, safe.c_str(), &how, sizeof how);
    if (fd >= 0) return static_cast<int>(fd);
    if (errno == ENOSYS || errno == EPERM) {
      openat2_missing = errno == ENOSYS;
      return open_stepwise(dir, safe, flags, mode);
    }
    if (errno != EAGAIN && errno != EINTR) return -1;
  }
  return open_stepwise(dir, safe, flags, mode);
}

int Files::mkdir(int dir, const std::string& name, mode_t mode) {
  return ::mkdirat(dir, name.c_str(), mode);
}

int Files::rename(int from_dir, const std::string& from, int to_dir, const std::string& to) {
  return ::renameat(from_dir, from.c_str(), to_dir, to.c_str());
}

int Files::unlink(int dir, const std::string& name, bool directory) {
  return ::unlinkat(dir, name.c_str(), directory ? AT_REMOVEDIR : 0);
}

int Files::stat(int dir, const std::string& name, struct ::stat* out) {
  return ::fstatat(dir, name.c_str(), out, AT_SYMLINK_NOFOLLOW);
}

int Files::fstat(int fd, struct ::stat* out) {
  return ::fstat(fd, out);
}

ssize_t Files::pread(int fd, char* out, std::size_t count, std::uint64_t at) {
  return ::pread(fd, out, count, static_cast<off_t>(at));
}

ssize_t Files::pwrite(int fd, const char* bytes, std::size_t count, std::uint64_t at) {
  return ::pwrite(fd, bytes, count, static_cast<off_t>(at));
}

ssize_t Files::copy_range(int from, std::uint64_t from_at, int to, std::uint64_t to_at,
                          std::size_t count) {
  auto source = static_cast<off_t>(from_at);
  auto target = static_cast<off_t>(to_at);
  return ::copy_file_range(from, &source, to, &target, count, 0);
}

ssize_t Files::send(int socket, int fd, std::uint64_t at, std::size_t count) {
  auto from = static_cast<off_t>(at);
  return ::sendfile(socket, fd, &from, count);
}

bool Files::is_cached(int fd, std::uint64_t at, std::size_t count) {
  // cachestat counts pages, those included that are still being read: they are in
  // order, so the last byte tells.
  if (count == 0 || cachestat_missing.load(std::memory_order_relaxed)) return false;
  const CacheRange range{.at = at, .count = count};
  CacheCounts counts;
  if (::syscall(kCachestat, fd, &range, &counts, 0) != 0) {
    cachestat_missing = errno == ENOSYS;
    return false;
  }
  static const auto page_bytes = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  const std::uint64_t last = at + count - 1;
  if (counts.cached < last / page_bytes - at / page_bytes + 1) return false;
  char byte = 0;
  const iovec into{.iov_base = &byte, .iov_len = 1};
  return ::preadv2(fd, &into, 1, static_cast<off_t>(last), RWF_NOWAIT) == 1;
}

int Files::sync_data(int fd) {
  return ::fdatasync(fd);
}

int Files::sync_directory(int fd) {
  return ::fsync(fd);
}

Files& system_files() {
  static Files files;
  return files;
}

void throw_errno(int error, std::string_view what) {
  switch (error) {
    case ENOSPC:
    case EDQUOT: throw Error(ErrorCode::storage_full, "no space left in the object store");
    case EROFS: throw Error(ErrorCode::unavailable, "the object store's file system is read-only");
    case EFBIG: throw Error(ErrorCode::too_large, "object is larger than the file system allows");
    case ENAMETOOLONG: throw Error(ErrorCode::invalid_argument, "invalid address: too long");
    case ELOOP:
    case EXDEV:
      throw Error(ErrorCode::invalid_argument, "invalid address: leads through a symbolic link");
    case EISDIR: throw Error(ErrorCode::invalid_argument, "invalid address: names a directory");
    case ENOTDIR:
      throw Error(ErrorCode::invalid_argument, "invalid address: an object stands in its way");
    case EMFILE:
    case ENFILE:
    case ENOMEM: throw Error(ErrorCode::unavailable, "object store is out of resources");
    default:
      throw Error(ErrorCode::internal,
                  format("object store: {}: {}", what, std::generic_category().message(error)));
  }
}

void write_all(Files& files, int fd, std::string_view bytes, std::uint64_t at) {
  while (!bytes.empty()) {
    const auto written = files.pwrite(fd, bytes.data(), bytes.size(), at);
    if (written < 0) {
      if (errno == EINTR) continue;
      throw_errno(errno, "write");
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
    at += static_cast<std::uint64_t>(written);
  }
}

std::size_t read_some(Files& files, int fd, char* out, std::size_t count, std::uint64_t at) {
  std::size_t done = 0;
  while (done < count) {
    const auto got = files.pread(fd, out + done, count - done, at + done);
    if (got < 0) {
      if (errno == EINTR) continue;
      throw_errno(errno, "read");
    }
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

}  // namespace tarn::block::fs
