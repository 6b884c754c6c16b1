// Index keys: the shortest that still divide two blocks (storage-format.md 3.8).
#pragma once

#include <string>
#include <string_view>

#include "sst/block.h"

namespace tarn::sst {

/// Follows a separator that is not the last key of its block itself.
inline constexpr std::string_view kSeparatorTrailer{"\x11\xff\xff\xff\xff\xff\xff\xff",
                                                    kTrailerBytes};

/// Replaces `out` with the internal index key between the last user key of a block and the first
/// of the next; `last` < `next`.
void make_separator(std::string_view last, std::string_view next, std::string& out);

/// The same after the last block of a file.
void make_successor(std::string_view last, std::string& out);

}  // namespace tarn::sst
