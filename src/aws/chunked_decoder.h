// Decoder of aws-chunked bodies (B3, B4): signed chunks, signed and unsigned trailers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/payload.h"
#include "aws/s3_error.h"
#include "aws/sigv4.h"
#include "base/hash.h"

namespace tarn::aws {

inline constexpr std::uint64_t kChunkBytesMax = std::uint64_t{1} << 40;
inline constexpr std::size_t kChunkLineBytesMax = 128;
inline constexpr std::size_t kTrailerBytesMax = 8 * 1024;

/// Feed it whatever arrives, in any cut:
///
///   while (bytes arrive) {
///     std::string_view input = bytes;
///     while (!(piece = decoder.next(input)).empty()) use(piece);
///   }
///   decoder.finish();
///
/// Pieces are views into the input: data is never copied. A piece may be released before its chunk
/// is verified, so nothing made of it may become visible before finish() has returned.
/// next() and finish() throw S3Failure with the client's answer; the decoder is dead afterwards.
/// Holds at most one line and one trailer section. Not thread-safe.
class ChunkedDecoder {
 public:
  /// `payload` must be a streaming one; the signed modes need `signing`.
  ChunkedDecoder(Payload payload, std::optional<ChunkSigning> signing);

  /// Takes bytes off the front of `input` up to and including the next piece of object data.
  /// Empty once all of `input` is taken.
  std::string_view next(std::string_view& input);

  /// The body has ended: says whether it was all there.
  void finish();

  std::uint64_t decoded_bytes() const noexcept { return decoded_bytes_; }

  /// Names (lower-case) and values in the order sent, without the signature. Valid after finish().
  const std::vector<std::pair<std::string, std::string>>& trailers() const noexcept {
    return trailers_;
  }

 private:
  enum class State { size_line, data, data_end, trailer, done };

  bool take_line(std::string_view& input, std::size_t bytes_max, std::string_view& line);
  void on_size_line(std::string_view line);
  void on_last_chunk();
  void on_trailer_line(std::string_view line);
  void check_chunk_signature();
  void check_trailer_signature(std::string_view signature);
  void check_trailers_complete() const;
  std::string_view take_data(std::string_view& input);
  void take_data_end(std::string_view& input);

  Payload payload_;
  std::optional<ChunkSigning> signing_;
  Hasher chunk_hash_{Hasher::Kind::sha256};
  State state_ = State::size_line;
  std::string line_;  // the part of a line that earlier inputs brought, or the last whole one
  bool line_complete_ = false;
  std::string previous_signature_;
  std::string chunk_signature_;  // of the chunk being read
  std::uint64_t chunk_left_ = 0;
  std::uint64_t decoded_bytes_ = 0;
  std::size_t data_end_seen_ = 0;
  std::size_t trailer_bytes_ = 0;
  std::string trailer_text_;  // what the trailer signature covers
  std::vector<std::pair<std::string, std::string>> trailers_;
};

}  // namespace tarn::aws
