// Multipart uploads on disk, in the reference's layout: the parts of upload <id> are the files
// <namespace directory>/<id>-<part %05d>, so that an upload begun by one server can be completed
// by the other. What the reference does not keep is kept beside: <root>/.tarn/uploads/<id>/ makes
// an upload without parts known, holds the address it was begun for and each part's MD5.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "block/fs/volume.h"
#include "block/object_store.h"

namespace tarn::block::fs {

/// What a part file was when its MD5 was taken; a file that differs needs a new one.
struct PartStamp {
  std::uint64_t size = 0, inode = 0;
  Timestamp modified;
  friend bool operator==(const PartStamp&, const PartStamp&) = default;
};

struct FoundPart {
  std::uint32_t number = 0;
  PartStamp stamp;
  std::string md5;  // raw; empty until known
};

/// Thread-safe, blocking. An upload is named by its id and the place of its object.
class Uploads {
 public:
  explicit Uploads(Volume& volume) : volume_(volume) {}

  std::string create(const LocalPath& target);
  /// Throws Error{upload_not_found} unless the upload was begun here for this object, or has a
  /// part: the reference leaves no other trace of one.
  /// Returns whether it was begun here.
  bool require(const LocalPath& target, std::string_view id);

  /// For a part that was just stored: false if the upload ended while it came in. One the
  /// reference began has no mark of its own, so its end cannot be told.
  bool still_there(const LocalPath& target, std::string_view id, bool begun_here) {
    return !begun_here || mark(target, id) == Mark::matches;
  }

  /// "<namespace>/<id>-00001".
  static std::string part_path(const LocalPath& target, std::string_view id, std::uint32_t number);
  /// The parts above `after` that exist, ascending, at most `parts_max`.
  std::vector<FoundPart> parts(const LocalPath& target, std::string_view id, std::uint32_t after,
                               std::size_t parts_max);
  std::optional<FoundPart> part(const LocalPath& target, std::string_view id, std::uint32_t number);
  /// Remembers a part's MD5. Losing it costs only a new reading of the part: errors are ignored.
  void remember(std::string_view id, const FoundPart& part);
  /// The MD5 of an open part by reading it.
  static std::string compute_md5(Files& files, const OpenFile& file, Context::Deadline deadline);
  /// Removes the parts and every trace. Idempotent.
  void forget(const LocalPath& target, std::string_view id);

  static PartStamp stamp_of(const OpenFile& file) { return {file.size, file.inode, file.modified}; }

  static PartStamp stamp_of(const struct ::stat& status);

 private:
  enum class Mark { none, matches, differs };
  void make_durable(Files& files, int record);
  Mark mark(const LocalPath& target, std::string_view id);
  std::vector<std::uint32_t> numbers(const LocalPath& target, std::string_view id);
  std::string remembered_md5(std::string_view id, std::uint32_t number, const PartStamp& stamp);

  Volume& volume_;
};

/// 32 lower-case hex digits.
bool is_upload_id(std::string_view id);

}  // namespace tarn::block::fs
