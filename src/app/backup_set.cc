#include "app/backup_set.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include <sys/stat.h>

#include "base/bytes.h"
#include "base/format.h"
#include "base/hash.h"

namespace tarn::app {
namespace {

namespace stdfs = std::filesystem;

constexpr std::string_view kTitle = "tarn backup 1";
constexpr std::size_t kPieceBytes = 256 * 1024;

[[noreturn]] void fail(const stdfs::path& path) {
  const bool full = errno == ENOSPC || errno == EDQUOT;
  throw Error(full ? ErrorCode::storage_full : ErrorCode::unavailable,
              format("{}: {}", path.string(), std::strerror(errno)));
}

class File {
 public:
  File(const stdfs::path& path, int flags)
      : path_(path), fd_(::open(path.c_str(), flags | O_CLOEXEC, 0600)) {}

  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }

  File(const File&) = delete;
  File& operator=(const File&) = delete;

  bool is_open() const { return fd_ >= 0; }

  int fd() const { return fd_; }

  std::string_view read(std::vector<char>& buffer) const {
    while (true) {
      const ssize_t got = ::read(fd_, buffer.data(), buffer.size());
      if (got >= 0) return {buffer.data(), static_cast<std::size_t>(got)};
      if (errno != EINTR) fail(path_);
    }
  }

  void write(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t put = ::write(fd_, bytes.data(), bytes.size());
      if (put < 0 && errno != EINTR) fail(path_);
      if (put > 0) bytes.remove_prefix(static_cast<std::size_t>(put));
    }
  }

 private:
  const stdfs::path& path_;
  int fd_;
};

CopiedFile pump(const File& from, const File* to) {
  std::vector<char> buffer(kPieceBytes);
  Hasher hasher(Hasher::Kind::sha256);
  CopiedFile result;
  while (true) {
    const std::string_view piece = from.read(buffer);
    if (piece.empty()) break;
    hasher.update(piece);
    if (to != nullptr) to->write(piece);
    result.bytes += piece.size();
  }
  result.sha256 = to_hex(hasher.finish());
  return result;
}

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool is_sha256(std::string_view text) {
  return text.size() == 64 && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

/// Below the backup, whatever it holds: no root, no way up.
bool stays_inside(const std::string& path) {
  const stdfs::path parts(path);
  if (path.empty() || parts.is_absolute() || path.find('\0') != path.npos) return false;
  return std::ranges::none_of(
      parts, [](const stdfs::path& part) { return part.empty() || part == "." || part == ".."; });
}

}  // namespace

std::string encode_manifest(const Manifest& manifest) {
  return format("{}\ncreated {}\nversion {}\nobjects {}\nsecret {}\nfiles {}\nbytes {}\nsums {}\n",
                kTitle, manifest.created, manifest.version,
                manifest.objects ? "included" : "elsewhere",
                manifest.secret ? "included" : "elsewhere", manifest.files, manifest.bytes,
                manifest.sums_sha256);
}

std::expected<Manifest, ParseError> parse_manifest(std::string_view text) {
  std::map<std::string_view, std::string_view> fields;
  const std::size_t title = text.find('\n');
  if (title == text.npos || text.substr(0, title) != kTitle) {
    return std::unexpected(ParseError{"not a backup this version can read"});
  }
  text.remove_prefix(title + 1);
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const std::size_t space = line.find(' ');
    if (space != line.npos) fields[line.substr(0, space)] = line.substr(space + 1);
  }
  const auto files = number_of(fields["files"]);
  const auto bytes = number_of(fields["bytes"]);
  if (!files || !bytes || !is_sha256(fields["sums"])) {
    return std::unexpected(ParseError{"the manifest is damaged"});
  }
  return Manifest{.created = std::string(fields["created"]),
                  .version = std::string(fields["version"]),
                  .objects = fields["objects"] == "included",
                  .secret = fields["secret"] == "included",
                  .files = *files,
                  .bytes = *bytes,
                  .sums_sha256 = std::string(fields["sums"])};
}

std::string encode_sum(const SumLine& line) {
  std::string escaped;
  for (const char c : line.path) {
    if (c == '\\') {
      escaped += "\\\\";
    } else if (c == '\n') {
      escaped += "\\n";
    } else {
      escaped += c;
    }
  }
  return format("{}{}  {}\n", escaped.size() != line.path.size() ? "\\" : "", line.sha256, escaped);
}

std::expected<SumLine, ParseError> parse_sum(std::string_view line) {
  const auto damaged = [] { return std::unexpected(ParseError{"a damaged line of SHA256SUMS"}); };
  const bool escaped = line.starts_with('\\');
  if (escaped) line.remove_prefix(1);
  if (line.size() < 67 || !is_sha256(line.substr(0, 64)) || line.substr(64, 2) != "  ") {
    return damaged();
  }
  SumLine parsed{.sha256 = std::string(line.substr(0, 64))};
  const std::string_view text = line.substr(66);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!escaped || text[i] != '\\') {
      parsed.path += text[i];
      continue;
    }
    if (++i == text.size() || (text[i] != '\\' && text[i] != 'n')) return damaged();
    parsed.path += text[i] == 'n' ? '\n' : '\\';
  }
  if (!stays_inside(parsed.path)) return damaged();
  return parsed;
}

std::optional<CopiedFile> copy_hashed(const stdfs::path& from, const stdfs::path& to) {
  const File source(from, O_RDONLY | O_NOFOLLOW);
  if (!source.is_open()) {
    if (errno == ENOENT) return std::nullopt;
    fail(from);
  }
  std::error_code error;
  stdfs::create_directories(to.parent_path(), error);
  const File target(to, O_WRONLY | O_CREAT | O_EXCL);
  if (!target.is_open()) fail(to);
  CopiedFile copied = pump(source, &target);
  // The times as they were: tools that copy a backup further go by them.
  struct ::stat status{};
  if (::fstat(source.fd(), &status) != 0) fail(from);
  const timespec times[2] = {status.st_atim, status.st_mtim};
  if (::futimens(target.fd(), times) != 0) fail(to);
  return copied;
}

CopiedFile hash_file(const stdfs::path& path) {
  const File file(path, O_RDONLY | O_NOFOLLOW);
  if (!file.is_open()) fail(path);
  return pump(file, nullptr);
}

void for_each_file(const stdfs::path& root, std::string_view skip,
                   const std::function<void(const stdfs::path&)>& visit) {
  try {
    for (auto entry = stdfs::recursive_directory_iterator(root);
         entry != stdfs::recursive_directory_iterator(); ++entry) {
      if (entry.depth() == 0 && !skip.empty() && entry->path().filename() == skip) {
        entry.disable_recursion_pending();
        continue;
      }
      if (entry->symlink_status().type() != stdfs::file_type::regular) continue;
      visit(entry->path().lexically_relative(root));
    }
  } catch (const stdfs::filesystem_error& error) {
    throw Error(ErrorCode::unavailable, error.what());
  }
}

void sync_all(const stdfs::path& directory) {
  const File opened(directory, O_RDONLY | O_DIRECTORY);
  if (!opened.is_open() || ::syncfs(opened.fd()) != 0) fail(directory);
}

}  // namespace tarn::app
