// Snappy blocks. Decoding is libsnappy's; encoding is ours, because the sizes of compressed blocks
// reach metarange ids, and libsnappy chooses other matches than the encoder the format is defined
// by (storage-format.md 3.9).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::sst {

/// Holds 32 KiB of table and a growing buffer: make one and reuse it. Not thread-safe.
class SnappyEncoder {
 public:
  /// The compressed form of `raw` (below 4 GiB); the view lives until the next call.
  std::string_view encode(std::string_view raw);

 private:
  static constexpr std::uint32_t kTableSizeMax = 1 << 14;

  char* encode_chunk(char* out, std::string_view chunk);

  std::vector<std::uint16_t> table_ = std::vector<std::uint16_t>(kTableSizeMax);
  std::vector<char> out_;
};

/// Replaces `out` with the raw form. Throws Error{corrupt} when the bytes are not a Snappy block
/// or claim more than `raw_bytes_max`, before allocating what they claim.
void snappy_decode(std::string_view compressed, std::size_t raw_bytes_max, std::string& out);

}  // namespace tarn::sst
