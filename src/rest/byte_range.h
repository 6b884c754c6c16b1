// The Range header of object reads (lakefs-http-behaviour.md 16.3). Pure.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>

namespace tarn::rest {

/// First and last byte, both inclusive and inside the object.
struct ServedRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;

  std::uint64_t size() const { return last - first + 1; }
};

enum class RangeError : std::uint8_t {
  malformed,      // several ranges, reversed, not numbers
  unsatisfiable,  // well-formed, but no byte of the object is in it
};

/// One range only: "bytes=a-b", "a-", "-n"; the end is clamped to the object.
std::expected<ServedRange, RangeError> parse_range(std::string_view header, std::uint64_t size);

}  // namespace tarn::rest
