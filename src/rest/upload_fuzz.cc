// Forms that carry an upload, and the Range header of reads.
#include "base/error.h"
#include "rest/byte_range.h"
#include "rest/multipart_form.h"
#include "testing/fuzz.h"

namespace tarn::fuzz {

namespace {

struct Outcome {
  rest::FormParser::State state = rest::FormParser::State::seeking;
  std::string type;
  std::string content;
  bool refused = false;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome parse(std::string_view form, std::size_t step) {
  rest::FormParser parser("B", "content");
  Outcome out;
  try {
    in_pieces(form, step, [&](std::string_view piece) {
      parser.feed(piece);
      out.content += parser.take();
      return true;
    });
  } catch (const Error& error) {
    TARN_ASSERT(error.code() == ErrorCode::invalid_argument);
    return {.refused = true};
  }
  out.state = parser.state();
  out.type = parser.content_type();
  return out;
}

void check_range(std::string_view header) {
  for (const std::uint64_t size :
       {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1'000}, std::uint64_t{UINT64_MAX}}) {
    const auto range = rest::parse_range(header, size);
    if (range) TARN_ASSERT(range->first <= range->last && range->last < size);
  }
}

}  // namespace

void run(std::string_view input) {
  const std::size_t step = 1 + take_byte(input) % 80;
  const Outcome whole = parse(input, input.size());
  TARN_ASSERT(parse(input, step) == whole);
  TARN_ASSERT(whole.content.size() <= input.size());
  const auto boundary = rest::parse_form_boundary(input);
  if (boundary && *boundary) TARN_ASSERT(!(*boundary)->empty());
  check_range(input);
}

}  // namespace tarn::fuzz
