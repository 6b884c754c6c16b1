// Rules of a multipart upload that no backend decides for itself. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "block/object_store.h"

namespace tarn::block {

inline constexpr std::uint32_t kPartNumberMax = 10'000;

/// Throws Error{invalid_argument} outside 1..kPartNumberMax.
void check_part_number(std::uint32_t number);

/// Throws Error{invalid_argument} unless the list names at least one part, in ascending order and
/// each once.
void check_part_list(const std::vector<Part>& parts);

/// Whether a client's ETag (quotes allowed, either case) names the part with this raw MD5.
bool part_etag_matches(std::string_view etag, std::string_view md5);

/// "<hex md5 of the parts' raw md5s, joined>-<count>".
std::string joined_etag(const std::vector<std::string>& part_md5s);

/// What complete_multipart() throws for a part that is missing or has another ETag.
[[noreturn]] void throw_bad_part(std::uint32_t number);
[[noreturn]] void throw_upload_not_found();

/// The first byte and the number of bytes of `range` in an object of `size` bytes; the whole
/// object without one. Throws Error{invalid_argument} for a range that starts past the end.
struct Span {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
};

Span clamp_range(const std::optional<ByteRange>& range, std::uint64_t size);

}  // namespace tarn::block
