#include "block/fs/uploads.h"

#include <algorithm>
#include <cerrno>
#include <charconv>

#include <dirent.h>
#include <fcntl.h>

#include "base/bytes.h"
#include "base/format.h"
#include "base/hash.h"
#include "base/random.h"
#include "block/fs/pieces.h"
#include "block/part_list.h"

namespace tarn::block::fs {

namespace {

constexpr std::size_t kSmallFileMax = 8 * 1024;
const std::string kTarget = "target";

std::string part_name(std::string_view id, std::uint32_t number) {
  return format("{}-{:05}", id, number);
}

std::string memo_name(std::uint32_t number) {
  return format("{:05}", number);
}

std::string memo_text(const PartStamp& stamp, std::string_view md5) {
  return format("{} {} {} {}.{:09}\n", to_hex(md5), stamp.size, stamp.inode, stamp.modified.seconds,
                stamp.modified.nanos);
}

/// nullopt, and errno says why, if the file cannot be opened.
std::optional<std::string> read_small(Files& files, int directory, const std::string& name) {
  const Fd fd(files.open(directory, name, O_RDONLY | O_NONBLOCK));
  if (!fd) return std::nullopt;
  std::string text(kSmallFileMax, '\0');
  text.resize(read_some(files, fd.get(), text.data(), text.size(), 0));
  return text;
}

void write_small(Files& files, int directory, const std::string& name, std::string_view text) {
  const Fd fd(files.open(directory, name, O_WRONLY | O_CREAT | O_TRUNC, 0600));
  if (!fd) throw_errno(errno, "create upload record");
  write_all(files, fd.get(), text, 0);
}

std::vector<std::string> names_in(Files& files, int directory) {
  std::vector<std::string> names;
  const int copy = files.open(directory, "", O_RDONLY | O_DIRECTORY);
  DIR* stream = copy < 0 ? nullptr : ::fdopendir(copy);
  if (stream == nullptr) throw_errno(errno, "read directory");
  while (const dirent* entry = ::readdir(stream)) {
    names.emplace_back(entry->d_name);
  }
  ::closedir(stream);
  return names;
}

LocalPath space_of(const LocalPath& target) {
  return {0, target.space, target.space};
}

}  // namespace

bool is_upload_id(std::string_view id) {
  return id.size() == 32 && std::ranges::all_of(id, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

PartStamp Uploads::stamp_of(const struct ::stat& status) {
  return {static_cast<std::uint64_t>(status.st_size), status.st_ino, modified_of(status)};
}

std::string Uploads::part_path(const LocalPath& target, std::string_view id, std::uint32_t number) {
  const auto name = part_name(id, number);
  return target.space.empty() ? name : format("{}/{}", target.space, name);
}

std::string Uploads::create(const LocalPath& target) {
  auto id = to_hex(random_bytes(16));
  Files& files = volume_.files();
  if (files.mkdir(volume_.uploads(), id, 0700) != 0) throw_errno(errno, "make upload record");
  const Fd record(files.open(volume_.uploads(), id, O_RDONLY | O_DIRECTORY));
  if (!record) throw_errno(errno, "open upload record");
  write_small(files, record.get(), kTarget, target.path);
  if (volume_.sync()) make_durable(files, record.get());
  return id;
}

/// A client may come back with the id and its first part after the power failed.
void Uploads::make_durable(Files& files, int record) {
  const Fd target(files.open(record, kTarget, O_RDONLY));
  if (!target) throw_errno(errno, "open upload record");
  if (files.sync_data(target.get()) != 0 || files.sync_directory(record) != 0 ||
      files.sync_directory(volume_.uploads()) != 0) {
    throw_errno(errno, "sync upload record");
  }
}

Uploads::Mark Uploads::mark(const LocalPath& target, std::string_view id) {
  Files& files = volume_.files();
  const Fd record(files.open(volume_.uploads(), std::string(id), O_RDONLY | O_DIRECTORY));
  if (!record) {
    if (errno != ENOENT) throw_errno(errno, "open upload record");
    return Mark::none;
  }
  const auto text = read_small(files, record.get(), kTarget);
  if (!text) {
    if (errno != ENOENT) throw_errno(errno, "open upload record");
    return Mark::none;  // memos beside an upload of the reference's
  }
  return *text == target.path ? Mark::matches : Mark::differs;
}

bool Uploads::require(const LocalPath& target, std::string_view id) {
  if (!is_upload_id(id)) throw_upload_not_found();
  switch (mark(target, id)) {
    case Mark::matches: return true;
    case Mark::differs: throw_upload_not_found();
    case Mark::none: break;
  }
  if (numbers(target, id).empty()) throw_upload_not_found();
  return false;
}

/// Ascending.
std::vector<std::uint32_t> Uploads::numbers(const LocalPath& target, std::string_view id) {
  std::vector<std::uint32_t> found;
  const Fd directory = volume_.open_directory(space_of(target));
  if (!directory) return found;
  for (const std::string& name : names_in(volume_.files(), directory.get())) {
    if (!is_part_name(name) || !name.starts_with(id)) continue;
    std::uint32_t number = 0;
    std::from_chars(name.data() + id.size() + 1, name.data() + name.size(), number);
    if (number >= 1 && number <= kPartNumberMax) found.push_back(number);
  }
  std::ranges::sort(found);
  return found;
}

std::optional<FoundPart> Uploads::part(const LocalPath& target, std::string_view id,
                                       std::uint32_t number) {
  const auto file = volume_.open_file({0, part_path(target, id, number), target.space});
  if (file == nullptr) return std::nullopt;
  FoundPart part{number, stamp_of(*file), {}};
  part.md5 = remembered_md5(id, number, part.stamp);
  return part;
}

std::vector<FoundPart> Uploads::parts(const LocalPath& target, std::string_view id,
                                      std::uint32_t after, std::size_t parts_max) {
  std::vector<FoundPart> page;
  for (const std::uint32_t number : numbers(target, id)) {
    if (page.size() >= parts_max) break;
    if (number <= after) continue;
    if (auto found = part(target, id, number)) page.push_back(*std::move(found));
  }
  return page;
}

std::string Uploads::remembered_md5(std::string_view id, std::uint32_t number,
                                    const PartStamp& stamp) {
  Files& files = volume_.files();
  const Fd record(files.open(volume_.uploads(), std::string(id), O_RDONLY | O_DIRECTORY));
  if (!record) return {};
  const auto text = read_small(files, record.get(), memo_name(number));
  if (!text || text->size() < 32) return {};
  auto md5 = from_hex(std::string_view(*text).substr(0, 32));
  if (!md5 || memo_text(stamp, *md5) != *text) return {};  // torn, or of another file
  return *std::move(md5);
}

void Uploads::remember(std::string_view id, const FoundPart& part) {
  try {
    Files& files = volume_.files();
    const std::string name(id);
    files.mkdir(volume_.uploads(), name, 0700);  // there already, unless the reference began it
    const Fd record(files.open(volume_.uploads(), name, O_RDONLY | O_DIRECTORY));
    if (!record) return;
    write_small(files, record.get(), memo_name(part.number), memo_text(part.stamp, part.md5));
  } catch (const Error&) {
    return;  // only a memo
  }
}

std::string Uploads::compute_md5(Files& files, const OpenFile& file, Context::Deadline deadline) {
  Hasher hasher(Hasher::Kind::md5);
  std::string buffer(kPieceBytes, '\0');
  for (std::uint64_t at = 0;;) {
    if (deadline != Context::kNoDeadline && Context::SteadyClock::now() >= deadline) {
      throw Error(ErrorCode::deadline_exceeded, "deadline exceeded while reading a part");
    }
    const auto got = read_some(files, file.fd.get(), buffer.data(), buffer.size(), at);
    if (got == 0) return hasher.finish();
    hasher.update(std::string_view(buffer).substr(0, got));
    at += got;
  }
}

void Uploads::forget(const LocalPath& target, std::string_view id) {
  if (!is_upload_id(id) || mark(target, id) == Mark::differs) return;
  for (const std::uint32_t number : numbers(target, id)) {
    volume_.remove_file(part_path(target, id, number));
  }
  Files& files = volume_.files();
  const std::string name(id);
  const Fd record(files.open(volume_.uploads(), name, O_RDONLY | O_DIRECTORY));
  if (!record) return;
  for (const std::string& memo : names_in(files, record.get())) {
    if (memo != "." && memo != "..") files.unlink(record.get(), memo, false);
  }
  files.unlink(volume_.uploads(), name, true);
}

}  // namespace tarn::block::fs
