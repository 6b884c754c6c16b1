#include "block/testing/bodies.h"

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace tarn::block::testing {

Task<std::string_view> PiecesSource::read(Context&) {
  std::ranges::fill(current_, '!');
  if (next_ == pieces_.size()) {
    if (breaks_with_) throw Error(*breaks_with_, "body broke off");
    current_.clear();
    co_return std::string_view();
  }
  current_ = pieces_[next_++];
  co_return current_;
}

std::optional<std::uint64_t> PiecesSource::size() const {
  if (!size_known_) return std::nullopt;
  std::uint64_t sum = 0;
  for (const auto& piece : pieces_) {
    sum += piece.size();
  }
  return sum;
}

Task<std::string_view> PatternSource::read(Context&) {
  constexpr std::uint64_t kPieceBytes = 64 * 1024;
  const auto count = std::min(left_, kPieceBytes);
  buffer_ = patterned(count, at_);
  at_ += count;
  left_ -= count;
  co_return buffer_;
}

std::string patterned(std::size_t bytes, std::uint64_t from) {
  std::string out(bytes, '\0');
  for (std::size_t i = 0; i < bytes; ++i) {
    const auto at = from + i;
    out[i] = static_cast<char>(at ^ (at >> 8) ^ (at >> 17));
  }
  return out;
}

}  // namespace tarn::block::testing
