// Bodies for tests: made of pieces, of unknown size, broken half-way, or large without the memory.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "io/byte_source.h"

namespace tarn::block::testing {

/// Yields its pieces one by one, then throws Error{`breaks_with`} if set.
class PiecesSource final : public io::ByteSource {
 public:
  explicit PiecesSource(std::vector<std::string> pieces, bool size_known = false,
                        std::optional<ErrorCode> breaks_with = {})
      : pieces_(std::move(pieces)), size_known_(size_known), breaks_with_(breaks_with) {}

  Task<std::string_view> read(Context& ctx) override;
  std::optional<std::uint64_t> size() const override;

 private:
  std::vector<std::string> pieces_;
  bool size_known_;
  std::optional<ErrorCode> breaks_with_;
  std::size_t next_ = 0;
  std::string current_;  // overwritten by the next read, so that keeping a view too long shows
};

/// `bytes` bytes of patterned(), in pieces of 64 KiB, from a buffer of that size.
class PatternSource final : public io::ByteSource {
 public:
  explicit PatternSource(std::uint64_t bytes) : left_(bytes) {}

  Task<std::string_view> read(Context& ctx) override;

  std::optional<std::uint64_t> size() const override { return std::nullopt; }

 private:
  std::uint64_t at_ = 0, left_;
  std::string buffer_;
};

/// Bytes that differ from place to place: byte i of every pattern is a function of i.
std::string patterned(std::size_t bytes, std::uint64_t from = 0);

}  // namespace tarn::block::testing
