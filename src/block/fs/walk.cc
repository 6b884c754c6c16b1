#include "block/fs/walk.h"

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "block/address.h"
#include "block/fs/volume.h"

namespace tarn::block::fs {

namespace {

enum class Kind { file, directory, other };

Kind kind_of(Files& files, int directory, const dirent& entry) {
  if (entry.d_type == DT_REG) return Kind::file;
  if (entry.d_type == DT_DIR) return Kind::directory;
  if (entry.d_type != DT_UNKNOWN) return Kind::other;
  struct ::stat status = {};
  if (files.stat(directory, entry.d_name, &status) != 0) return Kind::other;
  return S_ISREG(status.st_mode)   ? Kind::file
         : S_ISDIR(status.st_mode) ? Kind::directory
                                   : Kind::other;
}

class Walker {
 public:
  Walker(Files& files, int top, const WalkOptions& options)
      : files_(files), top_(top), options_(options) {}

  ListPage run();

 private:
  /// One directory on the way down; its names sort as parts of whole paths do, since those of
  /// directories end in '/'.
  struct Level {
    std::string path;  // "" or ending in '/'
    std::vector<std::string> names;
    std::size_t next = 0;
    Fd fd;  // open for the deepest level only
  };

  void enter(std::string path);
  void read_names(Level& level);
  bool wanted(const std::string& path) const;
  bool hidden(const std::string& path, std::string_view name) const;
  bool add_file(Level& level, const std::string& name);
  std::string start_directory() const;

  Files& files_;
  int top_;
  const WalkOptions& options_;
  std::vector<Level> levels_;
  ListPage page_;
};

/// Whether `path`, or something below it if it ends in '/', can be in the page.
bool Walker::wanted(const std::string& path) const {
  if (!path.ends_with('/')) return path.starts_with(options_.prefix) && path > options_.after;
  const bool leads_to_prefix =
      path.starts_with(options_.prefix) || options_.prefix.starts_with(path);
  return leads_to_prefix && (path > options_.after || options_.after.starts_with(path));
}

bool Walker::hidden(const std::string& path, std::string_view name) const {
  if (!path.empty()) return false;
  if (options_.hide_private && name == kPrivateDirectory) return true;
  return options_.hide_parts && is_part_name(name);
}

/// The directory all matching paths are in: spares the reading of its parents.
std::string Walker::start_directory() const {
  const auto slash = options_.prefix.rfind('/');
  return slash == std::string_view::npos ? "" : std::string(options_.prefix.substr(0, slash + 1));
}

void Walker::enter(std::string path) {
  Level level{.path = std::move(path), .names = {}, .next = 0, .fd = {}};
  if (!levels_.empty()) levels_.back().fd.reset();
  auto relative = level.path;
  if (!relative.empty()) relative.pop_back();
  level.fd = Fd(files_.open(top_, relative, O_RDONLY | O_DIRECTORY));
  if (!level.fd) {
    if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP) return;  // removed meanwhile
    throw_errno(errno, "open directory");
  }
  read_names(level);
  levels_.push_back(std::move(level));
}

void Walker::read_names(Level& level) {
  const int copy = files_.open(level.fd.get(), "", O_RDONLY | O_DIRECTORY);
  DIR* stream = copy < 0 ? nullptr : ::fdopendir(copy);
  if (stream == nullptr) throw_errno(errno, "read directory");
  while (const dirent* entry = ::readdir(stream)) {
    std::string name = entry->d_name;
    if (name == "." || name == ".." || hidden(level.path, name)) continue;
    const Kind kind = kind_of(files_, level.fd.get(), *entry);
    if (kind == Kind::other) continue;
    if (kind == Kind::directory) name += '/';
    if (wanted(level.path + name)) level.names.push_back(std::move(name));
  }
  ::closedir(stream);
  std::ranges::sort(level.names);
}

/// False when the page is full.
bool Walker::add_file(Level& level, const std::string& name) {
  if (!level.fd) {
    auto relative = level.path;
    if (!relative.empty()) relative.pop_back();
    level.fd = Fd(files_.open(top_, relative, O_RDONLY | O_DIRECTORY));
  }
  struct ::stat status = {};
  if (!level.fd || files_.stat(level.fd.get(), name, &status) != 0 || !S_ISREG(status.st_mode)) {
    return true;  // removed meanwhile
  }
  if (page_.objects.size() >= options_.objects_max) {
    page_.more = true;
    return false;
  }
  page_.objects.push_back(
      {level.path + name, static_cast<std::uint64_t>(status.st_size), modified_of(status), {}});
  return true;
}

ListPage Walker::run() {
  enter(start_directory());
  while (!levels_.empty()) {
    if (options_.deadline != Context::kNoDeadline &&
        Context::SteadyClock::now() >= options_.deadline) {
      throw Error(ErrorCode::deadline_exceeded, "deadline exceeded while listing");
    }
    Level& level = levels_.back();
    if (level.next == level.names.size()) {
      levels_.pop_back();
      continue;
    }
    const std::string name = level.names[level.next++];
    if (name.ends_with('/')) {
      enter(level.path + name);
    } else if (!add_file(level, name)) {
      break;
    }
  }
  return std::move(page_);
}

}  // namespace

ListPage walk(Files& files, int top, const WalkOptions& options) {
  // A prefix that is no path below `top` matches nothing and must not be opened.
  const auto directory = options.prefix.substr(0, options.prefix.rfind('/') + 1);
  if (options.prefix.find('\0') != std::string_view::npos) return {};
  if (!directory.empty()) {
    const auto cleaned = clean_path(directory);
    const auto first = std::string_view(cleaned).substr(0, cleaned.find('/'));
    if (cleaned + "/" != directory || first == "." || first == ".." || first.empty()) return {};
  }
  if (options.hide_private && (options.prefix.starts_with(std::string(kPrivateDirectory) + "/"))) {
    return {};
  }
  return Walker(files, top, options).run();
}

}  // namespace tarn::block::fs
