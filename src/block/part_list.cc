#include "block/part_list.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/error.h"
#include "base/format.h"
#include "base/hash.h"

namespace tarn::block {

void check_part_number(std::uint32_t number) {
  if (number < 1 || number > kPartNumberMax) {
    throw Error(ErrorCode::invalid_argument, "part number must be between 1 and 10000");
  }
}

void check_part_list(const std::vector<Part>& parts) {
  if (parts.empty()) throw Error(ErrorCode::invalid_argument, "the list of parts is empty");
  std::uint32_t previous = 0;
  for (const Part& part : parts) {
    check_part_number(part.number);
    if (part.number <= previous) {
      throw Error(ErrorCode::invalid_argument, "parts are not in ascending order");
    }
    previous = part.number;
  }
}

bool part_etag_matches(std::string_view etag, std::string_view md5) {
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') {
    etag = etag.substr(1, etag.size() - 2);
  }
  const auto bytes = from_hex(etag);
  return bytes && *bytes == md5;
}

std::string joined_etag(const std::vector<std::string>& part_md5s) {
  Hasher hasher(Hasher::Kind::md5);
  for (const std::string& part : part_md5s) {
    hasher.update(part);
  }
  return format("{}-{}", to_hex(hasher.finish()), part_md5s.size());
}

void throw_bad_part(std::uint32_t number) {
  throw Error(ErrorCode::invalid_argument,
              format("part {} was not uploaded or has another ETag", number));
}

void throw_upload_not_found() {
  throw Error(ErrorCode::upload_not_found, "upload not found");
}

Span clamp_range(const std::optional<ByteRange>& range, std::uint64_t size) {
  if (!range) return {0, size};
  if (range->first >= size || range->last < range->first) {
    throw Error(ErrorCode::invalid_argument, "range starts past the end of the object");
  }
  return {range->first, std::min(range->last, size - 1) - range->first + 1};
}

}  // namespace tarn::block
