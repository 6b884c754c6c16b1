#include "block/fs/volume.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include <linux/magic.h>
#include <sys/vfs.h>

#include "base/format.h"
#include "io/durable.h"

namespace tarn::block::fs {

namespace {

constexpr std::size_t kKnownMax = 4'096;
constexpr std::size_t kKeptMax = 64;  // directories kept open
constexpr mode_t kRootMode = 0700, kDirectoryMode = 0750;
constexpr int kReadDirectory = O_RDONLY | O_DIRECTORY;

/// No object is there: nothing by that name, or a file where a directory would have to be.
bool is_absent(int error) {
  return error == ENOENT || error == ENOTDIR;
}

Fd open_private(Files& files, int parent, const std::string& name, bool sync) {
  if (files.mkdir(parent, name, kRootMode) != 0 && errno != EEXIST) {
    throw_errno(errno, "make directory");
  }
  if (sync && files.sync_directory(parent) != 0) throw_errno(errno, "sync directory");
  Fd fd(files.open(parent, name, kReadDirectory));
  if (!fd) throw_errno(errno, "open directory");
  return fd;
}

/// The root and its parents may be links: whoever configures them is trusted.
Fd open_root(const std::string& path, bool sync) {
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
  if (::mkdir(path.c_str(), kRootMode) != 0 && errno != EEXIST) throw_errno(errno, "make root");
  if (sync) io::make_directory_durable(path);
  Fd fd(::open(path.c_str(), kReadDirectory | O_CLOEXEC));
  if (!fd) throw_errno(errno, format("open root {}", path));
  return fd;
}

/// The device, if its file system is one whose files are opened and read without asking anybody
/// once they are in memory. Network file systems and those of other processes are not.
std::optional<dev_t> local_disk_of(int directory) {
  struct ::statfs system = {};
  struct ::stat status = {};
  if (::fstatfs(directory, &system) != 0 || ::fstat(directory, &status) != 0) return std::nullopt;
  switch (static_cast<unsigned long>(system.f_type)) {
    case EXT4_SUPER_MAGIC:
    case XFS_SUPER_MAGIC:
    case BTRFS_SUPER_MAGIC:
    case TMPFS_MAGIC: return status.st_dev;
    default: return std::nullopt;
  }
}

DirectoryPtr directory_of(Files& files, Fd fd) {
  struct ::stat status = {};
  if (files.fstat(fd.get(), &status) != 0) throw_errno(errno, "stat directory");
  return std::make_shared<const Directory>(Directory{std::move(fd), status.st_dev, status.st_ino});
}

}  // namespace

Timestamp modified_of(const struct ::stat& status) {
  return {status.st_mtim.tv_sec, static_cast<std::int32_t>(status.st_mtim.tv_nsec)};
}

Leaf split_leaf(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return {"", path};
  return {path.substr(0, slash), path.substr(slash + 1)};
}

Volume::Volume(Files& files, LocalRoots roots, std::uint64_t temp_bytes_max, bool sync)
    : files_(files), roots_(std::move(roots)), sync_(sync), root_(open_root(roots_.root, sync)) {
  const auto own = open_private(files_, root(), std::string(kPrivateDirectory), sync);
  temp_parent_ = open_private(files_, own.get(), "tmp", sync);
  uploads_ = open_private(files_, own.get(), "uploads", sync);
  local_disks_.push_back(local_disk_of(root()));
  for (const std::string& prefix : roots_.external_prefixes) {
    externals_.emplace_back(::open(prefix.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    local_disks_.push_back(local_disk_of(externals_.back().get()));
  }
  temp_ = std::make_unique<TempSpace>(files_, temp_parent_.get(), temp_bytes_max, sync_);
}

Volume::~Volume() = default;

int Volume::base(const LocalPath& path) {
  return path.base == 0 ? root() : externals_[path.base - 1].get();
}

OpenFilePtr Volume::open_file(const LocalPath& path) {
  // O_NONBLOCK: a FIFO someone put there must not hold up the thread.
  Fd fd(files_.open(base(path), path.path, O_RDONLY | O_NONBLOCK));
  if (!fd) {
    if (is_absent(errno) || errno == ENXIO || errno == EBADF) return nullptr;
    throw_errno(errno, "open");
  }
  struct ::stat status = {};
  if (files_.fstat(fd.get(), &status) != 0) throw_errno(errno, "stat");
  if (!S_ISREG(status.st_mode)) return nullptr;
  const bool local =
      std::ranges::find(local_disks_, std::optional(status.st_dev)) != local_disks_.end();
  return std::make_shared<const OpenFile>(
      OpenFile{.fd = std::move(fd),
               .size = static_cast<std::uint64_t>(status.st_size),
               .modified = modified_of(status),
               .inode = status.st_ino,
               .on_local_disk = local});
}

std::optional<FileInfo> Volume::stat_file(const LocalPath& path) {
  const Fd fd(files_.open(base(path), path.path, O_PATH));
  if (!fd) {
    if (is_absent(errno) || errno == EBADF) return std::nullopt;
    throw_errno(errno, "open");
  }
  struct ::stat status = {};
  if (files_.fstat(fd.get(), &status) != 0) throw_errno(errno, "stat");
  if (!S_ISREG(status.st_mode)) return std::nullopt;
  return FileInfo{static_cast<std::uint64_t>(status.st_size), modified_of(status)};
}

Fd Volume::open_directory(const LocalPath& path) {
  Fd fd(files_.open(base(path), path.path, kReadDirectory));
  if (!fd && !is_absent(errno) && errno != EBADF) throw_errno(errno, "open directory");
  return fd;
}

bool Volume::is_known(const std::string& path) {
  const std::lock_guard lock(mutex_);
  return known_.contains(path);
}

void Volume::forget(const std::string& path) {
  const std::lock_guard lock(mutex_);
  known_.erase(path);
  kept_.erase(path);
}

DirectoryPtr Volume::find_kept(const std::string& path) {
  DirectoryPtr kept;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = kept_.find(path); found != kept_.end()) kept = found->second;
  }
  if (kept == nullptr) return nullptr;
  // It may have been moved away by hand. That it is the same one is all this call is asked: a link
  // on the way cannot make another directory of it.
  struct ::stat status = {};
  const bool same = files_.stat(root(), path, &status) == 0 && status.st_dev == kept->device &&
                    status.st_ino == kept->inode;
  if (same) return kept;
  forget(path);
  return nullptr;
}

DirectoryPtr Volume::keep(const std::string& path, DirectoryPtr directory) {
  const std::lock_guard lock(mutex_);
  if (kept_.size() >= kKeptMax) kept_.clear();
  kept_.insert_or_assign(path, directory);
  return directory;
}

DirectoryPtr Volume::ensure_directory(const std::string& path) {
  if (auto kept = find_kept(path)) return kept;
  if (path.empty() || is_known(path)) {
    if (Fd fd(files_.open(root(), path, kReadDirectory)); fd) {
      auto directory = directory_of(files_, std::move(fd));
      return path.empty() ? directory : keep(path, std::move(directory));
    }
  }
  return make_directories(path);
}

/// A name in a directory is durable only once that directory was synced. Whoever comes first in
/// this process syncs, found or made: the one who made it may have crashed in between.
DirectoryPtr Volume::make_directories(const std::string& path) {
  Fd current(files_.open(root(), "", kReadDirectory));
  if (!current) throw_errno(errno, "open root");
  for (std::size_t at = 0;;) {
    const auto slash = path.find('/', at);
    const auto name = path.substr(at, slash == std::string::npos ? slash : slash - at);
    const auto so_far = path.substr(0, slash);
    const bool made = files_.mkdir(current.get(), name, kDirectoryMode) == 0;
    if (!made && errno != EEXIST) throw_errno(errno, "make directory");
    if (made || !is_known(so_far)) {
      if (sync_ && files_.sync_directory(current.get()) != 0) throw_errno(errno, "sync directory");
      const std::lock_guard lock(mutex_);
      if (known_.size() >= kKnownMax) known_.clear();
      known_.insert(so_far);
    }
    Fd next(files_.open(current.get(), name, kReadDirectory));
    if (!next) throw_errno(errno, "open directory");
    current = std::move(next);
    if (slash == std::string::npos) return directory_of(files_, std::move(current));
    at = slash + 1;
  }
}

DirectoryPtr Volume::publish(TempFile& file, const std::string& path) {
  file.finish();
  const auto leaf = split_leaf(path);
  constexpr int kTries = 3;  // the directory may be removed by hand between the two calls
  for (int i = 0; i < kTries; ++i) {
    auto directory = ensure_directory(leaf.parent);
    if (file.publish(directory->fd.get(), leaf.name)) return directory;
    forget(leaf.parent);
  }
  throw Error(ErrorCode::unavailable, "the object's directory keeps vanishing");
}

bool Volume::rename(const std::string& from, const std::string& to, DirectoryPtr& directory) {
  const auto source = split_leaf(from);
  const auto target = split_leaf(to);
  const Fd source_directory(files_.open(root(), source.parent, kReadDirectory));
  if (!source_directory) {
    if (is_absent(errno)) return false;
    throw_errno(errno, "open directory");
  }
  directory = ensure_directory(target.parent);
  if (files_.rename(source_directory.get(), source.name, directory->fd.get(), target.name) == 0) {
    return true;
  }
  if (errno == ENOENT) return false;
  throw_errno(errno, "rename");
}

bool Volume::remove_file(const std::string& path) {
  const auto leaf = split_leaf(path);
  const Fd directory(files_.open(root(), leaf.parent, kReadDirectory));
  if (!directory) {
    if (is_absent(errno)) return false;
    throw_errno(errno, "open directory");
  }
  if (files_.unlink(directory.get(), leaf.name, false) == 0) return true;
  if (is_absent(errno) || errno == EISDIR) return false;
  throw_errno(errno, "remove");
}

}  // namespace tarn::block::fs
