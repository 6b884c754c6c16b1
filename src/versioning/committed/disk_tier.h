// The tier of range files on local disk: bounded by bytes, least recently used goes first.
#pragma once

#include <cstdint>
#include <filesystem>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace tarn::versioning {

/// Thread-safe; every method but contains() does file I/O and must not run on a loop. Files appear
/// whole: written under tmp/, then renamed. A file that a former process left is kept, but whoever
/// reads it first must verify it: after a crash of the machine it may be anything.
class DiskTier {
 public:
  /// Wipes tmp/ and takes over the complete files found. Throws Error{unavailable} if `dir` cannot
  /// be used.
  static std::unique_ptr<DiskTier> open_blocking(const std::filesystem::path& dir,
                                                 std::uint64_t bytes_max);

  /// A file being written; gone again when destroyed, unless kept.
  class Draft {
   public:
    Draft(Draft&& other) noexcept;
    Draft& operator=(Draft&&) = delete;
    ~Draft();
    /// Appends; after a failure (disk full) the draft is spoiled and keep_blocking() drops it.
    void write_blocking(std::string_view bytes);

   private:
    friend class DiskTier;
    Draft(DiskTier& tier, std::string name, std::filesystem::path path, int fd);

    DiskTier* tier_;
    std::string name_;
    std::filesystem::path path_;
    int fd_;
    std::uint64_t bytes_ = 0;
    bool spoiled_ = false;
  };

  /// Under what name the tier keeps a file.
  static std::string name_of(std::string_view storage_namespace, std::string_view id);

  Draft create_blocking(const std::string& name);
  void keep_blocking(Draft draft);
  bool contains(const std::string& name) const;
  std::optional<std::uint64_t> size(const std::string& name) const;
  /// The bytes, in a string with room for `room`, or nullopt if the file is not here (any more) or
  /// too short.
  std::optional<std::string> read_blocking(const std::string& name, std::uint64_t offset,
                                           std::size_t bytes, std::size_t room = 0);
  void drop_blocking(const std::string& name);

  std::uint64_t bytes() const;

 private:
  struct File {
    std::string name;
    std::uint64_t bytes;
  };

  DiskTier(std::filesystem::path dir, std::uint64_t bytes_max);
  void scan_blocking();
  void add_blocking(const std::string& name, std::uint64_t bytes);
  std::filesystem::path path_of(const std::string& name) const;

  const std::filesystem::path dir_;
  const std::uint64_t bytes_max_;
  mutable std::mutex mutex_;
  std::list<File> young_first_;
  std::unordered_map<std::string, std::list<File>::iterator> index_;
  std::uint64_t bytes_ = 0;
  std::uint64_t drafts_ = 0;
};

}  // namespace tarn::versioning
