// The Range header of reads (A7.2). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "block/object_store.h"

namespace tarn::s3gw {

struct RangeAnswer {
  enum class Kind { whole, part, unsatisfiable };
  Kind kind = Kind::whole;
  block::ByteRange range = {};  // part: within the object, both ends inclusive
};

/// What to answer an object of `size` bytes with; anything but one well-formed range is ignored.
RangeAnswer resolve_range(std::optional<std::string_view> header, std::uint64_t size);

/// "bytes 0-9/100".
std::string content_range(const block::ByteRange& range, std::uint64_t size);

}  // namespace tarn::s3gw
