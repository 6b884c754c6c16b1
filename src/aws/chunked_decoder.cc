#include "aws/chunked_decoder.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/bytes.h"

namespace tarn::aws {

namespace {

constexpr std::string_view kSignatureMark = ";chunk-signature=";
constexpr std::string_view kTrailerSignature = "x-amz-trailer-signature";

[[noreturn]] void fail(S3ErrorCode code, std::string_view message = {}) {
  throw S3Failure({.code = code, .message = std::string(message)});
}

std::string chunk_string_to_sign(std::string_view kind, const ChunkSigning& signing,
                                 std::string_view previous) {
  std::string out;
  out.reserve(256);
  out.append(kind).append(1, '\n').append(signing.amz_date).append(1, '\n');
  out.append(signing.scope).append(1, '\n').append(previous).append(1, '\n');
  return out;
}

/// The size of a chunk: plain hex digits, at most kChunkBytesMax.
std::optional<std::uint64_t> parse_size(std::string_view text) {
  std::uint64_t size = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, size, 16);
  const bool plain = !text.empty() && text.front() != '-';
  if (!plain || error != std::errc() || stop != end || size > kChunkBytesMax) return std::nullopt;
  return size;
}

}  // namespace

ChunkedDecoder::ChunkedDecoder(Payload payload, std::optional<ChunkSigning> signing)
    : payload_(std::move(payload)), signing_(std::move(signing)) {
  TARN_ASSERT(is_streaming(payload_.mode));
  if (payload_.mode == PayloadMode::streaming_unsigned_trailer) {
    signing_.reset();
  } else {
    TARN_ASSERT(signing_.has_value());
    previous_signature_ = signing_->seed;
  }
}

std::string_view ChunkedDecoder::next(std::string_view& input) {
  while (!input.empty()) {
    std::string_view line;
    switch (state_) {
      case State::size_line:
        if (take_line(input, kChunkLineBytesMax, line)) on_size_line(line);
        break;
      case State::data: return take_data(input);
      case State::data_end: take_data_end(input); break;
      case State::trailer:
        if (take_line(input, kTrailerBytesMax - trailer_bytes_, line)) on_trailer_line(line);
        break;
      case State::done: input = {}; break;  // what follows the body's own end means nothing
    }
  }
  return {};
}

/// Collects up to a line feed, across inputs; `line` comes without it.
bool ChunkedDecoder::take_line(std::string_view& input, std::size_t bytes_max,
                               std::string_view& line) {
  if (std::exchange(line_complete_, false)) line_.clear();
  const std::size_t end = input.find('\n');
  const std::size_t taken = end == std::string_view::npos ? input.size() : end + 1;
  if (line_.size() + taken > bytes_max) {
    fail(S3ErrorCode::incomplete_body, "A line of the chunked body is too long.");
  }
  line_.append(input.substr(0, taken));
  input.remove_prefix(taken);
  if (end == std::string_view::npos) return false;
  line_complete_ = true;
  line = std::string_view(line_).substr(0, line_.size() - 1);
  return true;
}

void ChunkedDecoder::on_size_line(std::string_view line) {
  if (!line.ends_with('\r')) {
    fail(S3ErrorCode::incomplete_body, "A chunk's size line must end in CRLF.");
  }
  line.remove_suffix(1);
  const std::size_t mark = line.find(';');
  const auto size = parse_size(line.substr(0, mark));
  if (!size) fail(S3ErrorCode::incomplete_body, "A chunk's size is not valid.");
  if (signing_) {
    const std::string_view extension = mark == std::string_view::npos ? "" : line.substr(mark);
    if (!extension.starts_with(kSignatureMark) || extension.size() != kSignatureMark.size() + 64) {
      fail(S3ErrorCode::incomplete_body, "A chunk has no valid signature.");
    }
    chunk_signature_ = to_lower(extension.substr(kSignatureMark.size()));
  }
  // Refused before a byte is read: nobody gets to send more than was announced.
  if (payload_.decoded_length && *size > *payload_.decoded_length - decoded_bytes_) {
    fail(S3ErrorCode::incomplete_body, "The body is longer than x-amz-decoded-content-length.");
  }
  if (*size == 0) {
    on_last_chunk();
    return;
  }
  chunk_left_ = *size;
  state_ = State::data;
}

std::string_view ChunkedDecoder::take_data(std::string_view& input) {
  const std::size_t size =
      static_cast<std::size_t>(std::min<std::uint64_t>(chunk_left_, input.size()));
  const std::string_view piece = input.substr(0, size);
  input.remove_prefix(size);
  if (signing_) chunk_hash_.update(piece);
  decoded_bytes_ += size;
  chunk_left_ -= size;
  if (chunk_left_ == 0) {
    if (signing_) check_chunk_signature();
    data_end_seen_ = 0;
    state_ = State::data_end;
  }
  return piece;
}

void ChunkedDecoder::take_data_end(std::string_view& input) {
  if (input.front() != "\r\n"[data_end_seen_]) {
    fail(S3ErrorCode::incomplete_body, "A chunk's data is not followed by CRLF.");
  }
  input.remove_prefix(1);
  if (++data_end_seen_ == 2) state_ = State::size_line;
}

void ChunkedDecoder::on_last_chunk() {
  if (signing_) check_chunk_signature();
  if (payload_.decoded_length && decoded_bytes_ != *payload_.decoded_length) {
    fail(S3ErrorCode::incomplete_body, "The body is shorter than x-amz-decoded-content-length.");
  }
  state_ = has_trailer(payload_.mode) ? State::trailer : State::done;
}

void ChunkedDecoder::on_trailer_line(std::string_view line) {
  trailer_bytes_ += line.size() + 1;
  if (line.ends_with('\r')) line.remove_suffix(1);
  const std::string_view text = trim(line);
  if (text.empty()) {
    // Framings disagree about empty lines: one may follow the last chunk, or any trailer line.
    // Only after the last promised line does one end the body.
    if (!signing_ && trailers_.size() == payload_.trailers.size() &&
        (!trailers_.empty() || trailer_bytes_ > 2)) {
      state_ = State::done;
    }
    return;
  }
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) {
    fail(S3ErrorCode::malformed_trailer, "A trailer line has no colon.");
  }
  std::string name = to_lower(trim(text.substr(0, colon)));
  const std::string_view value = trim(text.substr(colon + 1));
  if (signing_ && name == kTrailerSignature) {
    check_trailer_signature(value);
    check_trailers_complete();
    state_ = State::done;
    return;
  }
  const bool declared = std::ranges::find(payload_.trailers, name) != payload_.trailers.end();
  const bool repeated =
      std::ranges::any_of(trailers_, [&](const auto& trailer) { return trailer.first == name; });
  if (!declared || repeated) fail(S3ErrorCode::malformed_trailer);
  trailer_text_.append(name).append(1, ':').append(value).append(1, '\n');
  trailers_.emplace_back(std::move(name), std::string(value));
}

void ChunkedDecoder::check_chunk_signature() {
  std::string to_sign =
      chunk_string_to_sign("AWS4-HMAC-SHA256-PAYLOAD", *signing_, previous_signature_);
  to_sign.append(kEmptyPayloadHash).append(1, '\n').append(to_hex(chunk_hash_.finish()));
  if (!equal_constant_time(signing_->key->sign(to_sign), chunk_signature_)) {
    fail(S3ErrorCode::signature_does_not_match);
  }
  previous_signature_ = chunk_signature_;
}

void ChunkedDecoder::check_trailer_signature(std::string_view signature) {
  std::string to_sign =
      chunk_string_to_sign("AWS4-HMAC-SHA256-TRAILER", *signing_, previous_signature_);
  to_sign.append(to_hex(sha256(trailer_text_)));
  if (!equal_constant_time(signing_->key->sign(to_sign), to_lower(signature))) {
    fail(S3ErrorCode::signature_does_not_match);
  }
}

void ChunkedDecoder::check_trailers_complete() const {
  if (trailers_.size() != payload_.trailers.size()) fail(S3ErrorCode::malformed_trailer);
}

void ChunkedDecoder::finish() {
  if (state_ == State::done) return;
  if (state_ != State::trailer) {
    fail(S3ErrorCode::incomplete_body, "The body ends before its last chunk.");
  }
  if (!line_.empty() && !line_complete_ && line_ != "\r") {
    fail(S3ErrorCode::incomplete_body, "The body ends within its trailer.");
  }
  const bool promised_signature = signing_ && !(payload_.trailers.empty() && trailers_.empty());
  if (promised_signature) {
    fail(S3ErrorCode::incomplete_body, "The body ends before its trailer's signature.");
  }
  check_trailers_complete();
  state_ = State::done;
}

}  // namespace tarn::aws
