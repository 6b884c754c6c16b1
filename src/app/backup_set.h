// The files of a backup: what lies in its directory and how each is checked. No flow here.
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace tarn::app {

// A backup is a directory of
//   metadata/     the embedded store at one moment
//   objects/      the object directory, if objects are local; copied after that moment
//   secret.key    if the server made its own secret
//   SHA256SUMS    every file above, as sha256sum writes it
//   BACKUP        the manifest, written last: without it the backup is not whole
inline constexpr std::string_view kMetadataDir = "metadata";
inline constexpr std::string_view kObjectsDir = "objects";
inline constexpr std::string_view kSecretFile = "secret.key";
inline constexpr std::string_view kSumsFile = "SHA256SUMS";
inline constexpr std::string_view kManifestFile = "BACKUP";

struct Manifest {
  std::string created;  // RFC 3339
  std::string version;  // of the tarn that made it
  bool objects = false;
  bool secret = false;
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::string sums_sha256;  // hex, of SHA256SUMS
  friend bool operator==(const Manifest&, const Manifest&) = default;
};

std::string encode_manifest(const Manifest& manifest);
std::expected<Manifest, ParseError> parse_manifest(std::string_view text);

struct SumLine {
  std::string sha256;  // hex
  std::string path;    // relative, below the backup
};

/// As sha256sum writes it, with its escapes for line breaks and backslashes; ends in a newline.
std::string encode_sum(const SumLine& line);
/// Without the newline. Refuses a path that leaves the backup.
std::expected<SumLine, ParseError> parse_sum(std::string_view line);

struct CopiedFile {
  std::string sha256;  // hex
  std::uint64_t bytes = 0;
};

/// Copies a file's bytes and times to a new file; makes the parent directories. nullopt if `from`
/// does not exist (any more). Throws Error{unavailable} or {storage_full}.
std::optional<CopiedFile> copy_hashed(const std::filesystem::path& from,
                                      const std::filesystem::path& to);
/// Throws Error{unavailable}.
CopiedFile hash_file(const std::filesystem::path& path);

/// Calls `visit` with the relative path of every regular file below `root`, in no order, but not
/// below `skip`, a name directly in it. Throws Error{unavailable}.
void for_each_file(const std::filesystem::path& root, std::string_view skip,
                   const std::function<void(const std::filesystem::path&)>& visit);

/// Everything written below `directory` is on its disk when it returns.
void sync_all(const std::filesystem::path& directory);

}  // namespace tarn::app
