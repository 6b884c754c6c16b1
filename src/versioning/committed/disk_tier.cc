#include "versioning/committed/disk_tier.h"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/format.h"
#include "base/hash.h"

namespace tarn::versioning {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kTmp = "tmp";
constexpr std::string_view kFiles = "files";

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

/// How many bytes there were.
std::size_t read_up_to(int fd, char* to, std::size_t bytes, std::uint64_t offset) {
  std::size_t done = 0;
  while (done < bytes) {
    const ssize_t got = ::pread(fd, to + done, bytes - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

}  // namespace

DiskTier::Draft::Draft(DiskTier& tier, std::string name, fs::path path, int fd)
    : tier_(&tier), name_(std::move(name)), path_(std::move(path)), fd_(fd) {}

DiskTier::Draft::Draft(Draft&& other) noexcept
    : tier_(other.tier_),
      name_(std::move(other.name_)),
      path_(std::exchange(other.path_, {})),
      fd_(std::exchange(other.fd_, -1)),
      bytes_(other.bytes_),
      spoiled_(other.spoiled_) {}

DiskTier::Draft::~Draft() {
  if (fd_ >= 0) ::close(fd_);
  if (!path_.empty()) ::unlink(path_.c_str());
}

void DiskTier::Draft::write_blocking(std::string_view bytes) {
  if (spoiled_) return;
  spoiled_ = fd_ < 0 || !write_all(fd_, bytes);
  bytes_ += bytes.size();
}

DiskTier::DiskTier(fs::path dir, std::uint64_t bytes_max)
    : dir_(std::move(dir)), bytes_max_(bytes_max) {}

std::unique_ptr<DiskTier> DiskTier::open_blocking(const fs::path& dir, std::uint64_t bytes_max) {
  std::unique_ptr<DiskTier> tier(new DiskTier(dir, bytes_max));
  std::error_code error;
  fs::remove_all(dir / kTmp, error);
  fs::create_directories(dir / kTmp, error);
  if (!error) fs::create_directories(dir / kFiles, error);
  if (error) {
    throw Error(ErrorCode::unavailable, format("range cache directory: {}", error.message()));
  }
  tier->scan_blocking();
  return tier;
}

// Names are flat and hashed, so that no namespace can escape the directory.
std::string DiskTier::name_of(std::string_view storage_namespace, std::string_view id) {
  return to_hex(sha256(storage_namespace)).substr(0, 16) + "-" + std::string(id);
}

fs::path DiskTier::path_of(const std::string& name) const {
  return dir_ / kFiles / name;
}

void DiskTier::scan_blocking() {
  std::error_code error;
  std::vector<File> found;
  for (const fs::directory_entry& entry : fs::directory_iterator(dir_ / kFiles, error)) {
    const std::uint64_t size = entry.is_regular_file(error) ? entry.file_size(error) : 0;
    if (!error && size > 0) found.push_back({entry.path().filename().string(), size});
  }
  for (const File& file : found)
    add_blocking(file.name, file.bytes);
}

DiskTier::Draft DiskTier::create_blocking(const std::string& name) {
  std::uint64_t number = 0;
  {
    const std::scoped_lock lock(mutex_);
    number = ++drafts_;
  }
  fs::path path = dir_ / kTmp / format("{}-{}", name, number);
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) path.clear();
  return Draft(*this, name, std::move(path), fd);
}

void DiskTier::keep_blocking(Draft draft) {
  if (draft.spoiled_ || draft.fd_ < 0) return;
  if (::rename(draft.path_.c_str(), path_of(draft.name_).c_str()) != 0) return;
  draft.path_.clear();
  add_blocking(draft.name_, draft.bytes_);
}

void DiskTier::add_blocking(const std::string& name, std::uint64_t bytes) {
  std::vector<std::string> evicted;
  {
    const std::scoped_lock lock(mutex_);
    if (const auto old = index_.find(name); old != index_.end()) {
      bytes_ -= old->second->bytes;
      young_first_.erase(old->second);
      index_.erase(old);
    }
    young_first_.push_front({name, bytes});
    index_.emplace(name, young_first_.begin());
    bytes_ += bytes;
    while (bytes_ > bytes_max_ && !young_first_.empty()) {
      File& oldest = young_first_.back();
      bytes_ -= oldest.bytes;
      index_.erase(oldest.name);
      evicted.push_back(std::move(oldest.name));
      young_first_.pop_back();
    }
  }
  for (const std::string& gone : evicted)
    ::unlink(path_of(gone).c_str());
}

bool DiskTier::contains(const std::string& name) const {
  return size(name).has_value();
}

std::optional<std::uint64_t> DiskTier::size(const std::string& name) const {
  const std::scoped_lock lock(mutex_);
  const auto found = index_.find(name);
  if (found == index_.end()) return std::nullopt;
  return found->second->bytes;
}

std::optional<std::string> DiskTier::read_blocking(const std::string& name, std::uint64_t offset,
                                                   std::size_t bytes, std::size_t room) {
  {
    const std::scoped_lock lock(mutex_);
    const auto found = index_.find(name);
    if (found == index_.end() || offset + bytes > found->second->bytes) return std::nullopt;
    young_first_.splice(young_first_.begin(), young_first_, found->second);
  }
  const int fd = ::open(path_of(name).c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  std::string out;
  out.reserve(std::max(room, bytes));
  out.resize_and_overwrite(bytes, [fd, offset](char* to, std::size_t count) {
    return read_up_to(fd, to, count, offset);
  });
  ::close(fd);
  if (out.size() < bytes) return std::nullopt;
  return out;
}

void DiskTier::drop_blocking(const std::string& name) {
  {
    const std::scoped_lock lock(mutex_);
    const auto found = index_.find(name);
    if (found == index_.end()) return;
    bytes_ -= found->second->bytes;
    young_first_.erase(found->second);
    index_.erase(found);
  }
  ::unlink(path_of(name).c_str());
}

std::uint64_t DiskTier::bytes() const {
  const std::scoped_lock lock(mutex_);
  return bytes_;
}

}  // namespace tarn::versioning
