#include "http/body_framing.h"

#include <algorithm>
#include <string>

namespace tarn::http {

namespace {

constexpr std::uint32_t kDigitsMax = 15;  // so that sizes never overflow

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

bool ChunkedDecoder::size_digit(char c) {
  const int value = hex_value(c);
  if (value < 0 || ++digits_ > kDigitsMax) return false;
  left_ = left_ * 16 + static_cast<std::uint64_t>(value);
  state_ = State::size;
  return true;
}

void ChunkedDecoder::start_chunk() {
  digits_ = 0;
  if (left_ == 0) {
    state_ = State::trailer_first;
  } else {
    state_ = State::data;
    overhead_ = 0;
  }
}

bool ChunkedDecoder::step(char c) {
  switch (state_) {
    case State::size_first: return size_digit(c);
    case State::size:
      if (c == '\r') {
        state_ = State::size_lf;
        return true;
      }
      if (c == ';' || c == ' ' || c == '\t') {
        state_ = State::extension;
        return true;
      }
      return size_digit(c);
    case State::extension:
      if (c == '\r') state_ = State::size_lf;
      return c != '\n';
    case State::size_lf:
      if (c != '\n') return false;
      start_chunk();
      return true;
    case State::data_cr: state_ = State::data_lf; return c == '\r';
    case State::data_lf: state_ = State::size_first; return c == '\n';
    case State::trailer_first:
      state_ = c == '\r' ? State::last_lf : State::trailer;
      return c != '\n';
    case State::trailer:
      if (c == '\r') state_ = State::trailer_lf;
      return c != '\n';
    case State::trailer_lf: state_ = State::trailer_first; return c == '\n';
    case State::last_lf: state_ = State::done; return c == '\n';
    case State::data:
    case State::done: break;
  }
  return false;
}

std::expected<std::string_view, ParseError> ChunkedDecoder::next(std::string_view& raw) {
  while (!raw.empty() && !done()) {
    if (state_ == State::data) {
      const std::string_view piece = raw.substr(0, std::min<std::uint64_t>(left_, raw.size()));
      raw.remove_prefix(piece.size());
      left_ -= piece.size();
      if (left_ == 0) state_ = State::data_cr;
      return piece;
    }
    if (!step(raw.front())) return std::unexpected(ParseError{"malformed chunked body"});
    raw.remove_prefix(1);
    if (++overhead_ > kOverheadMax) {
      return std::unexpected(ParseError{"chunk extensions or trailers too large"});
    }
  }
  return std::string_view{};
}

BodyFraming BodyFraming::length(std::uint64_t bytes) {
  BodyFraming framing;
  framing.left_ = bytes;
  return framing;
}

BodyFraming BodyFraming::chunked() {
  BodyFraming framing;
  framing.chunks_.emplace();
  return framing;
}

std::expected<std::string_view, ParseError> BodyFraming::next(std::string_view& raw) {
  if (chunks_) return chunks_->next(raw);
  const std::string_view piece = raw.substr(0, std::min<std::uint64_t>(left_, raw.size()));
  raw.remove_prefix(piece.size());
  left_ -= piece.size();
  return piece;
}

bool BodyFraming::done() const {
  return chunks_ ? chunks_->done() : left_ == 0;
}

std::optional<std::uint64_t> BodyFraming::left() const {
  if (chunks_) return std::nullopt;
  return left_;
}

}  // namespace tarn::http
