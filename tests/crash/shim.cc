// Preloaded into a server, writes down every change of files below one directory and what was
// synced, so that power_loss.py can put the directory into a state a power failure may leave.
//
// POWER_ROOT      the directory; what happens elsewhere is none of our business
// POWER_LOG       the journal, one event a line, fields separated by tabs (see journal.py)
// POWER_GRAVE     a directory beside the root: removed files and overwritten contents stay there
// POWER_CONTROL   a file descriptor; "<n>\n" on it kills the process after n more events
// POWER_SYNC_US   syncs take up to so long, so that kills hit the time before they end
// POWER_REAL      1: syncs also go to the disk
// POWER_LOSE      wal, object or directory: some syncs of these do nothing and say they did
//
// One mutex is held around each change and its event, and by whoever kills the process: the journal
// always agrees with the directory.
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <random>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <linux/openat2.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>

namespace {

template <class Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

// The function this library stands in front of, looked up once.
#define REAL(name) (*[] { static auto* const found = next<decltype(::name)>(#name); return found; }())

constexpr int kFdsMax = 1 << 16;
constexpr int kCreated = O_CREAT | O_TRUNC;

struct Known {
  off_t durable = 0;       // bytes some sync has promised, or will when it ends
  std::uint64_t sync = 0;  // its number
  bool preserved = false;  // those bytes are in the grave already
};

/// A name in a directory of ours.
struct Place {
  ino_t directory;
  int at;  // what to resolve `path` against
  std::string path, leaf;
};

class Shim {
 public:
  Shim() {
    const char* root = ::getenv("POWER_ROOT");
    const char* log = ::getenv("POWER_LOG");
    const char* grave = ::getenv("POWER_GRAVE");
    if (!root || !log || !grave) return;
    root_ = root;
    struct stat status = {};
    if (::stat(root, &status) != 0) ::abort();
    device_ = status.st_dev;
    log_ = REAL(open)(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    grave_ = REAL(open)(grave, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (log_ < 0 || grave_ < 0) ::abort();
    find_directories(root_, status.st_ino);
    if (const char* value = ::getenv("POWER_SYNC_US")) sync_us_ = std::strtoull(value, nullptr, 10);
    if (const char* value = ::getenv("POWER_LOSE")) lose_ = value;
    real_syncs_ = ::getenv("POWER_REAL") != nullptr;
    on_ = true;
    if (const char* value = ::getenv("POWER_CONTROL")) listen(static_cast<int>(std::strtol(value, nullptr, 10)));
  }

  bool on() const { return on_; }

  std::mutex& mutex() { return mutex_; }

  // Everything below is called with the mutex held.

  void event(const std::string& line) {
    const std::string text = line + "\n";
    if (REAL(write)(log_, text.data(), text.size()) != static_cast<ssize_t>(text.size())) ::abort();
    if (countdown_ > 0 && --countdown_ == 0) die();
  }

  /// Something happened that the model does not know: the run does not count.
  void unknown(std::string_view what) { event("X\t" + std::string(what)); }

  [[noreturn]] void die() {
    ::kill(::getpid(), SIGKILL);
    for (;;)
      ::pause();
  }

  /// nullptr directory (0) unless the name is in a directory of ours.
  Place place(int at, const char* given) const {
    std::string path(given);
    while (path.size() > 1 && path.back() == '/')
      path.pop_back();
    const auto slash = path.rfind('/');
    const std::string parent = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    Place found{0, at, path, slash == std::string::npos ? path : path.substr(slash + 1)};
    struct stat status = {};
    if (::fstatat(at, parent.c_str(), &status, 0) == 0 && is_ours(status)) found.directory = status.st_ino;
    return found;
  }

  static bool look(const Place& at, struct stat& status) {
    return ::fstatat(at.at, at.path.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
  }

  /// Keeps a file that is about to lose a name: undoing needs it, and its number is not used again.
  void bury(const Place& at, const struct stat& status) {
    if (!S_ISDIR(status.st_mode))
      REAL(linkat)(at.at, at.path.c_str(), grave_, std::to_string(status.st_ino).c_str(), 0);
  }

  /// Before bytes below `from` of a file change.
  void preserve(const char* path, const struct stat& status, off_t from) {
    Known& file = known(status);
    if (file.preserved || from >= file.durable) return;
    file.preserved = true;
    const std::string name = std::to_string(status.st_ino) + "." + std::to_string(file.sync);
    const int in = REAL(open)(path, O_RDONLY | O_CLOEXEC);
    const int out = REAL(openat)(grave_, name.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    char buffer[1 << 16];
    for (ssize_t got = 1; in >= 0 && out >= 0 && got > 0;) {
      got = ::read(in, buffer, sizeof buffer);
      if (got > 0 && REAL(write)(out, buffer, static_cast<std::size_t>(got)) != got) ::abort();
    }
    if (in < 0 || out < 0) ::abort();
    REAL(close)(in);
    REAL(close)(out);
    event("P\t" + std::to_string(status.st_ino) + "\t" + std::to_string(file.sync));
  }

  void preserve(int fd, const struct stat& status, off_t from) {
    preserve(("/proc/self/fd/" + std::to_string(fd)).c_str(), status, from);
  }

  /// A file seen for the first time and not made by us was there at the start: durable as it is.
  Known& known(const struct stat& status) {
    return known_.try_emplace(status.st_ino, Known{status.st_size, 0, false}).first->second;
  }

  void created(const Place& at, const struct stat& status) {
    known_[status.st_ino] = {};
    event(named("C", at) + "\t" + std::to_string(status.st_ino));
  }

  void made_directory(const Place& at, const struct stat& status) {
    directories_.insert(status.st_ino);
    event(named("M", at) + "\t" + std::to_string(status.st_ino));
  }

  void removed_directory(const Place& at, const struct stat& status) {
    directories_.erase(status.st_ino);
    event(named("U", at) + "\t" + std::to_string(status.st_ino));
  }

  static std::string named(const char* kind, const Place& at) {
    return std::string(kind) + "\t" + std::to_string(at.directory) + "\t" + at.leaf;
  }

  bool is_ours(const struct stat& status) const {
    return status.st_dev == device_ && S_ISDIR(status.st_mode) && directories_.contains(status.st_ino);
  }

  void track(int fd, bool stdio = false) {
    if (fd < 0) return;
    struct stat status = {};
    if (fd >= kFdsMax || ::fstat(fd, &status) != 0) {
      unknown("descriptor");
      return;
    }
    char kind = 0;
    if (is_ours(status)) kind = 'd';
    if (S_ISREG(status.st_mode) && status.st_dev == device_ && below_root(fd)) kind = stdio ? 's' : 'f';
    kinds_[fd].store(kind, std::memory_order_relaxed);
  }

  /// 'f' for a file of ours, 'd' for a directory, 0 for the rest of the world. Needs no mutex.
  char kind(int fd) const {
    return on_ && fd >= 0 && fd < kFdsMax ? kinds_[fd].load(std::memory_order_relaxed) : '\0';
  }

  /// The kind may be that of a descriptor that was closed behind our back.
  bool still_file(int fd, struct stat& status) const {
    return ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_dev == device_;
  }

  int sync(int fd, int (*real)(int)) {
    struct stat status = {};
    std::string id;
    {
      const std::lock_guard lock(mutex_);
      if (::fstat(fd, &status) != 0) return -1;
      const bool directory = is_ours(status);
      if (!directory && !S_ISREG(status.st_mode)) return real(fd);
      if (loses(fd, directory)) {
        event("L\t" + std::to_string(status.st_ino));
        return 0;
      }
      id = std::to_string(++syncs_);
      if (!directory) {
        Known& file = known(status);
        file = {status.st_size, syncs_, false};
      }
      event((directory ? "d\t" : "s\t") + id + "\t" + std::to_string(status.st_ino) + "\t" +
            std::to_string(status.st_size));
    }
    wait_some();
    if (real_syncs_ && real(fd) != 0) return -1;
    const std::lock_guard lock(mutex_);
    event("e\t" + id);
    return 0;
  }

  static std::string path_of(int fd) {
    char buffer[4096];
    const auto size = ::readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), buffer, sizeof buffer);
    return size < 0 ? std::string() : std::string(buffer, static_cast<std::size_t>(size));
  }

 private:
  bool below_root(int fd) const { return path_of(fd).starts_with(root_ + "/"); }

  bool loses(int fd, bool directory) {
    if (lose_.empty()) return false;
    const std::string path = path_of(fd);
    // The next sync of the log makes up for one that was lost: most of them have to be.
    if (lose_ == "wal") return !directory && path.ends_with(".log") && random_() % 8 != 0;
    if (random_() % 2 != 0) return false;
    if (path.find("/objects") == std::string::npos) return false;
    return lose_ == "directory" ? directory : !directory;
  }

  void wait_some() {
    if (sync_us_ == 0) return;
    std::uint64_t us = 0;
    {
      const std::lock_guard lock(mutex_);
      us = random_() % sync_us_;
    }
    const struct timespec pause = {0, static_cast<long>(us * 1000)};
    ::nanosleep(&pause, nullptr);
  }

  void find_directories(const std::string& path, ino_t number) {
    directories_.insert(number);
    DIR* stream = ::opendir(path.c_str());
    if (!stream) ::abort();
    while (const dirent* entry = ::readdir(stream)) {
      const std::string name = entry->d_name;
      struct stat status = {};
      if (name == "." || name == ".." || ::lstat((path + "/" + name).c_str(), &status) != 0) continue;
      if (S_ISDIR(status.st_mode)) find_directories(path + "/" + name, status.st_ino);
    }
    ::closedir(stream);
  }

  void listen(int fd) {
    control_ = fd;
    sigset_t all, before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);  // its signals are for the server's threads
    pthread_t thread;
    const auto wait = [](void* self) -> void* {
      static_cast<Shim*>(self)->obey();
      return nullptr;
    };
    if (::pthread_create(&thread, nullptr, wait, this) == 0) ::pthread_detach(thread);
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

  void obey() {
    for (char text[32] = {}; ::read(control_, text, sizeof text - 1) > 0;) {
      const std::lock_guard lock(mutex_);
      countdown_ = std::strtoull(text, nullptr, 10);
      if (countdown_ == 0) die();
    }
  }

  std::mutex mutex_;
  bool on_ = false;
  std::string root_, lose_;
  dev_t device_ = 0;
  int log_ = -1, grave_ = -1, control_ = -1;
  bool real_syncs_ = false;
  std::uint64_t sync_us_ = 0, syncs_ = 0, countdown_ = 0;
  std::mt19937_64 random_{std::random_device{}()};
  std::unordered_map<ino_t, Known> known_;
  std::unordered_set<ino_t> directories_;
  std::atomic<char> kinds_[kFdsMax] = {};
};

/// Never destroyed: threads of the server may outlive main().
Shim& shim() {
  static Shim& instance = *new Shim;
  return instance;
}

[[gnu::constructor]] void start() {
  shim();
}

/// `open` is the real call; `flags` are those it has.
template <class Open>
int traced_open(int at, const char* path, int flags, Open open) {
  Shim& s = shim();
  if (!s.on()) return open();
  const std::lock_guard lock(s.mutex());
  if ((flags & O_TMPFILE) == O_TMPFILE) {
    const int fd = open();
    struct stat status = {};
    if (fd >= 0 && s.is_ours([&] { struct stat d = {}; ::fstatat(at, path, &d, 0); return d; }()) && ::fstat(fd, &status) == 0)
      s.created({0, at, path, ""}, status);
    s.track(fd);
    return fd;
  }
  if ((flags & kCreated) == 0) {
    const int fd = open();
    s.track(fd);
    return fd;
  }
  const Place where = s.place(at, path);
  struct stat before = {};
  const bool existed = where.directory != 0 && Shim::look(where, before);
  if (existed && (flags & O_TRUNC) != 0 && S_ISREG(before.st_mode) && (flags & O_EXCL) == 0) {
    const int peek = REAL(openat)(at, path, O_RDONLY | O_CLOEXEC);
    if (peek >= 0) {
      s.preserve(peek, before, 0);
      REAL(close)(peek);
    }
  }
  const int fd = open();
  if (fd < 0) return fd;
  struct stat status = {};
  if (where.directory != 0 && ::fstat(fd, &status) == 0) {
    if (!existed) {
      s.created(where, status);
    } else if ((flags & O_TRUNC) != 0) {
      s.event("T\t" + std::to_string(status.st_ino) + "\t0");
    }
  }
  s.track(fd);
  return fd;
}

/// A call that writes at `at` of a file (-1: at the descriptor's own position).
template <class Write>
ssize_t traced_write(int fd, off_t at, Write write) {
  Shim& s = shim();
  if (s.kind(fd) != 'f') return write();
  const std::lock_guard lock(s.mutex());
  struct stat status = {};
  if (!s.still_file(fd, status)) return write();
  const int flags = REAL(fcntl)(fd, F_GETFL);
  if (at < 0 || (flags & O_APPEND) != 0)
    at = (flags & O_APPEND) != 0 ? status.st_size : ::lseek(fd, 0, SEEK_CUR);
  s.preserve(fd, status, at);
  const ssize_t done = write();
  if (done > 0) s.event("W\t" + std::to_string(status.st_ino) + "\t" + std::to_string(at + done));
  return done;
}

int traced_truncate(int fd, off_t size) {
  Shim& s = shim();
  if (s.kind(fd) != 'f') return REAL(ftruncate)(fd, size);
  const std::lock_guard lock(s.mutex());
  struct stat status = {};
  if (!s.still_file(fd, status)) return REAL(ftruncate)(fd, size);
  s.preserve(fd, status, size);
  const int failed = REAL(ftruncate)(fd, size);
  if (failed == 0) s.event("T\t" + std::to_string(status.st_ino) + "\t" + std::to_string(size));
  return failed;
}

template <class Allocate>
int traced_allocate(int fd, int mode, off_t at, off_t size, Allocate allocate) {
  Shim& s = shim();
  if (s.kind(fd) != 'f') return allocate();
  const std::lock_guard lock(s.mutex());
  const int failed = allocate();
  if (failed != 0) return failed;
  struct stat status = {};
  ::fstat(fd, &status);
  if ((mode & ~FALLOC_FL_KEEP_SIZE) != 0) s.unknown("fallocate mode");
  s.event("A\t" + std::to_string(status.st_ino) + "\t" + std::to_string(mode == 0 ? at + size : 0));
  return failed;
}

template <class Rename>
int traced_rename(int from_at, const char* from, int to_at, const char* to, Rename rename) {
  Shim& s = shim();
  if (!s.on()) return rename();
  const std::lock_guard lock(s.mutex());
  const Place source = s.place(from_at, from);
  const Place target = s.place(to_at, to);
  if (source.directory == 0 && target.directory == 0) return rename();
  struct stat moved = {}, replaced = {};
  if (Shim::look(target, replaced)) s.bury(target, replaced);
  const bool found = Shim::look(source, moved);
  const int failed = rename();
  if (failed != 0) return failed;
  if (!found || source.directory == 0 || target.directory == 0) s.unknown("rename across the border");
  s.event(Shim::named("R", source) + "\t" + std::to_string(target.directory) + "\t" + target.leaf + "\t" +
          std::to_string(moved.st_ino));
  return 0;
}

template <class Link>
int traced_link(int to_at, const char* to, Link link) {
  Shim& s = shim();
  if (!s.on()) return link();
  const std::lock_guard lock(s.mutex());
  const int failed = link();
  const Place target = s.place(to_at, to);
  struct stat status = {};
  if (failed == 0 && target.directory != 0 && Shim::look(target, status))
    s.event(Shim::named("H", target) + "\t" + std::to_string(status.st_ino));
  return failed;
}

template <class Remove>
int traced_remove(int at, const char* path, bool directory, Remove remove) {
  Shim& s = shim();
  if (!s.on()) return remove();
  const std::lock_guard lock(s.mutex());
  const Place where = s.place(at, path);
  struct stat status = {};
  if (where.directory == 0 || !Shim::look(where, status)) return remove();
  if (!directory) s.bury(where, status);
  const int failed = remove();
  if (failed != 0) return failed;
  if (directory) {
    s.removed_directory(where, status);
  } else {
    s.event(Shim::named("U", where) + "\t" + std::to_string(status.st_ino));
  }
  return 0;
}

template <class Make>
int traced_mkdir(int at, const char* path, Make make) {
  Shim& s = shim();
  if (!s.on()) return make();
  const std::lock_guard lock(s.mutex());
  const int failed = make();
  const Place where = s.place(at, path);
  struct stat status = {};
  if (failed == 0 && where.directory != 0 && Shim::look(where, status)) s.made_directory(where, status);
  return failed;
}

/// Calls the model has no notion of: if they touch a file of ours, the run does not count.
void refuse(int fd, const char* what) {
  Shim& s = shim();
  if (s.kind(fd) == 0) return;
  const std::lock_guard lock(s.mutex());
  s.unknown(what);
}

void refuse(const char* path, const char* what, int at = AT_FDCWD) {
  Shim& s = shim();
  if (!s.on()) return;
  const std::lock_guard lock(s.mutex());
  if (s.place(at, path).directory != 0) s.unknown(what);
}

mode_t mode_of(int flags, va_list arguments) {
  return (flags & (O_CREAT | __O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
}

#define READ_MODE()                       \
  va_list arguments;                      \
  va_start(arguments, flags);             \
  const mode_t mode = mode_of(flags, arguments); \
  va_end(arguments)

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  READ_MODE();
  return traced_open(AT_FDCWD, path, flags, [&] { return REAL(open)(path, flags, mode); });
}

int open64(const char* path, int flags, ...) {
  READ_MODE();
  return traced_open(AT_FDCWD, path, flags, [&] { return REAL(open64)(path, flags, mode); });
}

int openat(int at, const char* path, int flags, ...) {
  READ_MODE();
  return traced_open(at, path, flags, [&] { return REAL(openat)(at, path, flags, mode); });
}

int openat64(int at, const char* path, int flags, ...) {
  READ_MODE();
  return traced_open(at, path, flags, [&] { return REAL(openat64)(at, path, flags, mode); });
}

int creat(const char* path, mode_t mode) {
  return ::open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
}

static FILE* traced_fopen(const char* path, const char* mode, FILE* (*real)(const char*, const char*)) {
  FILE* stream = nullptr;
  const int flags = mode[0] == 'w' ? kCreated : mode[0] == 'a' ? O_CREAT : 0;
  const int fd = traced_open(AT_FDCWD, path, flags, [&] {
    stream = real(path, mode);
    return stream ? ::fileno(stream) : -1;
  });
  Shim& s = shim();
  if (fd >= 0 && s.on()) {
    const std::lock_guard lock(s.mutex());
    s.track(fd, true);
    struct stat status = {};
    if (::fstat(fd, &status) == 0 && flags != 0) s.event("O\t" + std::to_string(status.st_ino));
  }
  return stream;
}

FILE* fopen(const char* path, const char* mode) {
  return traced_fopen(path, mode, &REAL(fopen));
}

FILE* fopen64(const char* path, const char* mode) {
  return traced_fopen(path, mode, &REAL(fopen64));
}

// Only openat2 has no function of its own in this libc.
long syscall(long number, ...) {
  va_list list;
  va_start(list, number);
  long a[6];
  for (long& value : a)
    value = va_arg(list, long);
  va_end(list);
  const auto real = [&] { return REAL(syscall)(number, a[0], a[1], a[2], a[3], a[4], a[5]); };
  if (number != SYS_openat2) return real();
  const auto* how = reinterpret_cast<const open_how*>(a[2]);
  return traced_open(static_cast<int>(a[0]), reinterpret_cast<const char*>(a[1]),
                     static_cast<int>(how->flags), [&] { return static_cast<int>(real()); });
}

ssize_t write(int fd, const void* bytes, size_t count) {
  return traced_write(fd, -1, [&] { return REAL(write)(fd, bytes, count); });
}

ssize_t pwrite(int fd, const void* bytes, size_t count, off_t at) {
  return traced_write(fd, at, [&] { return REAL(pwrite)(fd, bytes, count, at); });
}

ssize_t pwrite64(int fd, const void* bytes, size_t count, off64_t at) {
  return traced_write(fd, at, [&] { return REAL(pwrite64)(fd, bytes, count, at); });
}

ssize_t writev(int fd, const iovec* parts, int count) {
  return traced_write(fd, -1, [&] { return REAL(writev)(fd, parts, count); });
}

ssize_t pwritev(int fd, const iovec* parts, int count, off_t at) {
  return traced_write(fd, at, [&] { return REAL(pwritev)(fd, parts, count, at); });
}

ssize_t pwritev64(int fd, const iovec* parts, int count, off64_t at) {
  return ::pwritev(fd, parts, count, at);
}

ssize_t pwritev2(int fd, const iovec* parts, int count, off_t at, int flags) {
  return traced_write(fd, at, [&] { return REAL(pwritev2)(fd, parts, count, at, flags); });
}

ssize_t copy_file_range(int in, off64_t* in_at, int out, off64_t* out_at, size_t count, unsigned flags) {
  return traced_write(out, out_at ? *out_at : -1,
                      [&] { return REAL(copy_file_range)(in, in_at, out, out_at, count, flags); });
}

int ftruncate(int fd, off_t size) noexcept {
  return traced_truncate(fd, size);
}

int ftruncate64(int fd, off64_t size) noexcept {
  return traced_truncate(fd, size);
}

int fallocate(int fd, int mode, off_t at, off_t size) {
  return traced_allocate(fd, mode, at, size, [&] { return REAL(fallocate)(fd, mode, at, size); });
}

int fallocate64(int fd, int mode, off64_t at, off64_t size) {
  return traced_allocate(fd, mode, at, size, [&] { return REAL(fallocate64)(fd, mode, at, size); });
}

int posix_fallocate(int fd, off_t at, off_t size) {
  return traced_allocate(fd, 0, at, size, [&] { return REAL(posix_fallocate)(fd, at, size); });
}

int fsync(int fd) {
  return shim().kind(fd) == 0 ? REAL(fsync)(fd) : shim().sync(fd, &REAL(fsync));
}

int fdatasync(int fd) {
  return shim().kind(fd) == 0 ? REAL(fdatasync)(fd) : shim().sync(fd, &REAL(fdatasync));
}

int rename(const char* from, const char* to) noexcept {
  return traced_rename(AT_FDCWD, from, AT_FDCWD, to, [&] { return REAL(rename)(from, to); });
}

int renameat(int from_at, const char* from, int to_at, const char* to) noexcept {
  return traced_rename(from_at, from, to_at, to, [&] { return REAL(renameat)(from_at, from, to_at, to); });
}

int renameat2(int from_at, const char* from, int to_at, const char* to, unsigned flags) noexcept {
  if ((flags & RENAME_EXCHANGE) != 0) ::abort();
  return traced_rename(from_at, from, to_at, to,
                       [&] { return REAL(renameat2)(from_at, from, to_at, to, flags); });
}

int link(const char* from, const char* to) noexcept {
  return traced_link(AT_FDCWD, to, [&] { return REAL(link)(from, to); });
}

int linkat(int from_at, const char* from, int to_at, const char* to, int flags) noexcept {
  return traced_link(to_at, to, [&] { return REAL(linkat)(from_at, from, to_at, to, flags); });
}

int unlink(const char* path) noexcept {
  return traced_remove(AT_FDCWD, path, false, [&] { return REAL(unlink)(path); });
}

int unlinkat(int at, const char* path, int flags) noexcept {
  return traced_remove(at, path, (flags & AT_REMOVEDIR) != 0, [&] { return REAL(unlinkat)(at, path, flags); });
}

int rmdir(const char* path) noexcept {
  return traced_remove(AT_FDCWD, path, true, [&] { return REAL(rmdir)(path); });
}

int remove(const char* path) noexcept {
  struct stat status = {};
  if (::lstat(path, &status) != 0) return -1;
  return S_ISDIR(status.st_mode) ? ::rmdir(path) : ::unlink(path);
}

int mkdir(const char* path, mode_t mode) noexcept {
  return traced_mkdir(AT_FDCWD, path, [&] { return REAL(mkdir)(path, mode); });
}

int mkdirat(int at, const char* path, mode_t mode) noexcept {
  return traced_mkdir(at, path, [&] { return REAL(mkdirat)(at, path, mode); });
}

int bind(int fd, const sockaddr* address, socklen_t size) noexcept {
  const int failed = REAL(bind)(fd, address, size);
  Shim& s = shim();
  if (failed != 0 || address->sa_family != AF_UNIX || !s.on()) return failed;
  const std::lock_guard lock(s.mutex());
  const char* path = reinterpret_cast<const sockaddr_un*>(address)->sun_path;
  struct stat status = {};
  const Place where = s.place(AT_FDCWD, path);
  if (where.directory != 0 && Shim::look(where, status)) s.created(where, status);
  return failed;
}

int truncate(const char* path, off_t size) noexcept {
  refuse(path, "truncate");
  return REAL(truncate)(path, size);
}

int truncate64(const char* path, off64_t size) noexcept {
  return ::truncate(path, size);
}

int symlink(const char* target, const char* path) noexcept {
  refuse(path, "symlink");
  return REAL(symlink)(target, path);
}

int symlinkat(const char* target, int at, const char* path) noexcept {
  refuse(path, "symlink", at);
  return REAL(symlinkat)(target, at, path);
}

void* mmap(void* where, size_t size, int protection, int flags, int fd, off_t at) noexcept {
  if ((protection & PROT_WRITE) != 0 && (flags & MAP_SHARED) != 0 && fd >= 0) refuse(fd, "mmap");
  return REAL(mmap)(where, size, protection, flags, fd, at);
}

void* mmap64(void* where, size_t size, int protection, int flags, int fd, off64_t at) noexcept {
  return ::mmap(where, size, protection, flags, fd, at);
}

ssize_t sendfile(int out, int in, off_t* at, size_t count) noexcept {
  struct stat status = {};
  if (shim().still_file(out, status)) refuse(out, "sendfile");  // to a socket it changes nothing
  static auto* const real = next<ssize_t(int, int, off_t*, size_t)>("sendfile");
  return real(out, in, at, count);
}

ssize_t sendfile64(int out, int in, off64_t* at, size_t count) noexcept {
  return ::sendfile(out, in, at, count);
}

ssize_t splice(int in, off64_t* in_at, int out, off64_t* out_at, size_t count, unsigned flags) {
  refuse(out, "splice");
  return REAL(splice)(in, in_at, out, out_at, count, flags);
}

}  // extern "C"
