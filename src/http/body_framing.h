// Where a request's body ends. Pure: raw bytes in, body bytes out, without copying.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>

#include "base/error.h"

namespace tarn::http {

/// RFC 9112 section 7.1, strictly: CRLF only, sizes of at most 15 hex digits, extensions and
/// trailers skipped and bounded by kOverheadMax together per chunk.
class ChunkedDecoder {
 public:
  static constexpr std::size_t kOverheadMax = 16'384;

  /// Takes bytes off the front of `raw` until it has a piece of the body to return, or has used all
  /// of `raw` (empty result), or is done(). The piece is a view of `raw`'s bytes.
  std::expected<std::string_view, ParseError> next(std::string_view& raw);

  bool done() const { return state_ == State::done; }

 private:
  enum class State {
    size_first,  // at least one digit is due
    size,
    extension,
    size_lf,
    data,
    data_cr,
    data_lf,
    trailer_first,  // at the start of a trailer line
    trailer,
    trailer_lf,
    last_lf,
    done,
  };

  /// False when the byte cannot stand here.
  bool step(char c);
  bool size_digit(char c);
  void start_chunk();

  State state_ = State::size_first;
  std::uint64_t left_ = 0;  // of the chunk
  std::uint32_t digits_ = 0;
  std::size_t overhead_ = 0;
};

/// Either kind of framing.
class BodyFraming {
 public:
  /// No body.
  BodyFraming() = default;

  static BodyFraming length(std::uint64_t bytes);
  static BodyFraming chunked();

  /// As ChunkedDecoder::next().
  std::expected<std::string_view, ParseError> next(std::string_view& raw);
  bool done() const;
  /// Bytes still to come; nullopt for chunked.
  std::optional<std::uint64_t> left() const;

 private:
  std::uint64_t left_ = 0;
  std::optional<ChunkedDecoder> chunks_;
};

}  // namespace tarn::http
