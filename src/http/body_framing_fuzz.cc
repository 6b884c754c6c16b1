#include <string>

#include "base/error.h"
#include "base/format.h"
#include "http/body_framing.h"
#include "testing/fuzz.h"

namespace tarn::fuzz {

namespace {

struct Outcome {
  std::string body;
  std::size_t rest = 0;  // bytes behind the body
  bool done = false;
  bool failed = false;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome decode(http::BodyFraming framing, std::string_view raw, std::size_t step) {
  Outcome out;
  std::size_t taken = 0;
  in_pieces(raw, step, [&](std::string_view piece) {
    const std::size_t size = piece.size();
    while (!piece.empty() && !framing.done()) {
      const auto part = framing.next(piece);
      out.failed = !part;
      if (!part) return false;
      out.body += *part;
    }
    taken += size - piece.size();
    return !framing.done();
  });
  out.done = framing.done();
  if (!out.failed) out.rest = raw.size() - taken;
  return out;
}

std::string encode(std::string_view body, std::size_t step) {
  std::string raw;
  in_pieces(body, step, [&](std::string_view piece) {
    append_format(raw, "{:x};x=\"y\"\r\n{}\r\n", piece.size(), piece);
    return true;
  });
  return raw + "0\r\nX-Trailer: 1\r\n\r\n";
}

}  // namespace

void run(std::string_view input) {
  const std::size_t step = 1 + take_byte(input);
  using http::BodyFraming;
  const Outcome whole = decode(BodyFraming::chunked(), input, input.size());
  const Outcome pieces = decode(BodyFraming::chunked(), input, step);
  TARN_ASSERT(whole.failed == pieces.failed);
  if (!whole.failed) TARN_ASSERT(whole == pieces);
  TARN_ASSERT(whole.body.size() <= input.size());
  const std::string raw = encode(input, step);
  const Outcome encoded = decode(BodyFraming::chunked(), raw + "GET", 1 + step / 3);
  TARN_ASSERT(encoded == (Outcome{.body = std::string(input), .rest = 3, .done = true}));
  const Outcome counted = decode(BodyFraming::length(step), input, 7);
  TARN_ASSERT(counted.body == input.substr(0, step) && counted.done == (input.size() >= step));
}

}  // namespace tarn::fuzz
