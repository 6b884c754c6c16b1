// What a fuzz target implements, and helpers to cut one input into several. A target is one
// *_fuzz.cc registered with tarn_fuzz(); it states what must hold with TARN_ASSERT, and lets only
// exceptions escape that nobody expects.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace tarn::fuzz {

/// Defined by each target. `input` ends where its memory ends: reading past it is caught.
void run(std::string_view input);

/// Takes the first byte off `input`; 0 when there is none.
inline std::uint8_t take_byte(std::string_view& input) {
  if (input.empty()) return 0;
  const auto byte = static_cast<std::uint8_t>(input.front());
  input.remove_prefix(1);
  return byte;
}

/// Takes what stands before the next `end` off `input`, and `end` too; everything without one.
inline std::string_view take_until(std::string_view& input, char end) {
  const std::string_view part = input.substr(0, input.find(end));
  input.remove_prefix(std::min(part.size() + 1, input.size()));
  return part;
}

/// Calls `each` with `input` in pieces of `step` bytes (at least 1), until it returns false.
template <class Each>
void in_pieces(std::string_view input, std::size_t step, Each each) {
  for (; !input.empty(); input.remove_prefix(std::min(step, input.size()))) {
    if (!each(input.substr(0, std::max<std::size_t>(step, 1)))) return;
  }
}

}  // namespace tarn::fuzz
