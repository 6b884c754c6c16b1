// Checksums of a body taken in the one pass that stores it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/hash.h"

namespace tarn::block {

/// Computes the digests it is asked for. Not thread-safe, but may move between threads between
/// calls. MD5 is always computed: it is the entry's ETag.
class Digests {
 public:
  struct Wanted {
    bool sha256 = false;
    bool sha1 = false;
    bool crc32 = false;
    bool crc32c = false;
    bool crc64_nvme = false;
  };

  struct Values {
    std::uint64_t size = 0;
    std::string md5;  // raw bytes, as are the others; empty if not wanted
    std::string sha256, sha1;
    std::string crc32, crc32c, crc64_nvme;  // big-endian
  };

  Digests() : Digests(Wanted{}) {}

  explicit Digests(Wanted wanted);

  void update(std::string_view bytes);
  /// Ends the MD5 early and returns its raw bytes, for a store that needs them itself (the ETag of
  /// a part). finish() still reports them; no update() may follow.
  const std::string& finish_md5();
  /// Ends the pass; no update() may follow.
  const Values& values();

  /// The same by value.
  Values finish() { return values(); }

 private:
  Hasher md5_;
  std::string md5_value_;         // once finished
  std::optional<Values> values_;  // likewise
  std::optional<Hasher> sha256_, sha1_;
  Wanted wanted_;
  std::uint64_t size_ = 0;
  std::uint32_t crc32_ = 0, crc32c_ = 0;
  std::uint64_t crc64_ = 0;
};

}  // namespace tarn::block
