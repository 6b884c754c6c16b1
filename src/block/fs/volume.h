// The directory tree below a store's root, and the external directories it may read. Blocking:
// called from pool jobs only.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/time.h"
#include "block/address.h"
#include "block/fs/files.h"
#include "block/fs/temp_space.h"

namespace tarn::block::fs {

/// An open regular file. Owners: a reader and the pool job that reads for it.
struct OpenFile {
  Fd fd;
  std::uint64_t size = 0;
  Timestamp modified;
  std::uint64_t inode = 0;
  bool on_local_disk = false;  // what is in memory is had without waiting for anybody
};

using OpenFilePtr = std::shared_ptr<const OpenFile>;

/// An open directory. Owners: the volume, whoever published in it and the syncer.
struct Directory {
  Fd fd;
  std::uint64_t device = 0, inode = 0;
};

using DirectoryPtr = std::shared_ptr<const Directory>;

struct FileInfo {
  std::uint64_t size = 0;
  Timestamp modified;
};

/// Thread-safe. Paths are LocalPaths or relative to the root, and were checked by address.h.
class Volume {
 public:
  /// Makes the root (0700) and the private directory if missing. Throws.
  Volume(Files& files, LocalRoots roots, std::uint64_t temp_bytes_max, bool sync);
  ~Volume();

  const LocalRoots& roots() const { return roots_; }

  TempSpace& temp() { return *temp_; }

  Files& files() { return files_; }

  /// Whether what is written has to survive a power failure.
  bool sync() const { return sync_; }

  int root() const { return root_.get(); }

  int uploads() const { return uploads_.get(); }

  /// Null if there is no regular file at `path`.
  OpenFilePtr open_file(const LocalPath& path);
  std::optional<FileInfo> stat_file(const LocalPath& path);
  /// An open directory below a base; empty if there is none.
  Fd open_directory(const LocalPath& path);

  /// Finishes `file` and gives it its name, making parent directories (0750). The returned
  /// directory must be synced before anyone is told that the object is stored.
  DirectoryPtr publish(TempFile& file, const std::string& path);
  /// Renames a finished file of the same tree; false if `from` is gone.
  bool rename(const std::string& from, const std::string& to, DirectoryPtr& directory);
  /// Whether it was there. Durable only with a sync.
  bool remove_file(const std::string& path);

 private:
  DirectoryPtr ensure_directory(const std::string& path);
  /// The directory of an earlier call, if that is still what the path leads to; else null.
  DirectoryPtr find_kept(const std::string& path);
  DirectoryPtr keep(const std::string& path, DirectoryPtr directory);
  DirectoryPtr make_directories(const std::string& path);
  int base(const LocalPath& path);
  bool is_known(const std::string& path);
  void forget(const std::string& path);

  Files& files_;
  const LocalRoots roots_;
  const bool sync_;
  Fd root_, temp_parent_, uploads_;
  std::vector<Fd> externals_;
  std::vector<std::optional<dev_t>> local_disks_;  // of the bases; none where a server is asked
  std::unique_ptr<TempSpace> temp_;
  std::mutex mutex_;
  std::unordered_set<std::string> known_;  // directories whose own names are durable; by mutex_
  std::unordered_map<std::string, DirectoryPtr> kept_;  // some of them, open; by mutex_
};

Timestamp modified_of(const struct ::stat& status);

/// "a/b/c" -> {"a/b", "c"}.
struct Leaf {
  std::string parent, name;
};

Leaf split_leaf(const std::string& path);

}  // namespace tarn::block::fs
