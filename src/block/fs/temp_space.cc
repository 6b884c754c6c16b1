#include "block/fs/temp_space.h"

#include <algorithm>
#include <cerrno>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <sys/file.h>

#include "base/bytes.h"
#include "base/format.h"
#include "base/log.h"
#include "base/random.h"

namespace tarn::block::fs {

namespace {

constexpr std::uint64_t kWritebackBytes = 8ULL << 20;

std::vector<std::string> names_in(int directory) {
  std::vector<std::string> names;
  const int copy = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* stream = copy < 0 ? nullptr : ::fdopendir(copy);
  if (stream == nullptr) throw_errno(errno, "read temporary directory");
  while (const dirent* entry = ::readdir(stream)) {
    if (std::string_view name = entry->d_name; name != "." && name != "..")
      names.emplace_back(name);
  }
  ::closedir(stream);
  return names;
}

}  // namespace

TempSpace::TempSpace(Files& files, int parent, std::uint64_t bytes_max, bool sync)
    : files_(files),
      parent_(parent),
      bytes_max_(bytes_max),
      sync_(sync),
      name_(to_hex(random_bytes(8))) {
  remove_leftovers();
  if (files_.mkdir(parent_, name_, 0700) != 0) throw_errno(errno, "make temporary directory");
  directory_ = Fd(files_.open(parent_, name_, O_RDONLY | O_DIRECTORY));
  if (!directory_) throw_errno(errno, "open temporary directory");
  if (::flock(directory_.get(), LOCK_EX | LOCK_NB) != 0) {
    throw_errno(errno, "lock temporary directory");
  }
}

TempSpace::~TempSpace() {
  if (files_.unlink(parent_, name_, true) != 0) {
    log::warn("temporary directory could not be removed", {{"errno", errno}});
  }
}

void TempSpace::remove_leftovers() {
  for (const std::string& name : names_in(parent_)) {
    const Fd leftover(files_.open(parent_, name, O_RDONLY | O_DIRECTORY));
    if (!leftover) {
      files_.unlink(parent_, name, false);
      continue;
    }
    if (::flock(leftover.get(), LOCK_EX | LOCK_NB) != 0) continue;  // its process lives
    for (const std::string& file : names_in(leftover.get())) {
      files_.unlink(leftover.get(), file, false);
    }
    files_.unlink(parent_, name, true);
  }
}

void TempSpace::reserve(std::uint64_t bytes) {
  auto now = bytes_.load();
  do {
    if (bytes > bytes_max_ || now > bytes_max_ - bytes) {
      throw Error(ErrorCode::storage_full, "temporary space of the object store is used up");
    }
  } while (!bytes_.compare_exchange_weak(now, now + bytes));
}

std::unique_ptr<TempFile> TempSpace::create() {
  auto name = format("{}", next_++);
  Fd fd(files_.open(directory(), name, O_RDWR | O_CREAT | O_EXCL, 0640));
  if (!fd) throw_errno(errno, "create temporary file");
  return std::unique_ptr<TempFile>(new TempFile(*this, std::move(name), std::move(fd)));
}

void TempFile::grow_to(std::uint64_t bytes) {
  if (bytes <= reserved_) return;
  space_.reserve(bytes - reserved_);
  reserved_ = bytes;
}

void TempFile::expect(std::uint64_t bytes) {
  grow_to(bytes);
}

void TempFile::append(std::string_view bytes) {
  grow_to(size_ + bytes.size());
  write_all(space_.files_, fd(), bytes, size_);
  size_ += bytes.size();
  start_writeback();
}

void TempFile::append_from(int from, std::uint64_t at, std::uint64_t count) {
  constexpr std::size_t kPieceBytes = 256 * 1024;
  grow_to(size_ + count);
  Files& files = space_.files_;
  while (count > 0) {
    const auto got = files.copy_range(from, at, fd(), size_, count);
    if (got == 0) throw Error(ErrorCode::corrupt, "an object became shorter while it was copied");
    if (got < 0) {
      if (errno == EINTR) continue;
      if (errno == EXDEV || errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP) break;
      throw_errno(errno, "copy");
    }
    at += static_cast<std::uint64_t>(got);
    size_ += static_cast<std::uint64_t>(got);
    count -= static_cast<std::uint64_t>(got);
  }
  std::string buffer(static_cast<std::size_t>(std::min<std::uint64_t>(count, kPieceBytes)), '\0');
  while (count > 0) {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(count, buffer.size()));
    const auto got = read_some(files, from, buffer.data(), wanted, at);
    if (got == 0) throw Error(ErrorCode::corrupt, "an object became shorter while it was copied");
    append(std::string_view(buffer).substr(0, got));
    at += got;
    count -= got;
  }
  start_writeback();
}

/// Lets the disk start early, so that finish() does not have to wait for everything at once.
void TempFile::start_writeback() {
  if (!space_.sync_ || size_ - written_back_ < kWritebackBytes) return;
  static_cast<void>(::sync_file_range(fd(), static_cast<off_t>(written_back_),
                                      static_cast<off_t>(size_ - written_back_),
                                      SYNC_FILE_RANGE_WRITE));
  written_back_ = size_;
}

void TempFile::finish() {
  if (space_.sync_ && space_.files_.sync_data(fd()) != 0) throw_errno(errno, "sync");
}

bool TempFile::publish(int directory, const std::string& name) {
  if (space_.files_.rename(space_.directory(), name_, directory, name) != 0) {
    if (errno == ENOENT) return false;
    throw_errno(errno, "rename");
  }
  name_.clear();
  discard();
  return true;
}

void TempFile::discard() noexcept {
  if (!name_.empty()) {
    if (space_.files_.unlink(space_.directory(), name_, false) != 0) {
      log::warn("temporary file could not be removed", {{"errno", errno}});
    }
    name_.clear();
  }
  fd_.reset();
  // Once published or discarded, the last owner may be a finished pool job that outlives the store.
  if (const auto bytes = std::exchange(reserved_, 0); bytes > 0) space_.release(bytes);
}

}  // namespace tarn::block::fs
