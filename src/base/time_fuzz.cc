#include "base/error.h"
#include "base/time.h"
#include "testing/fuzz.h"

namespace tarn::fuzz {

namespace {

bool is_in_range(Timestamp time) {
  return time.nanos >= 0 && time.nanos < 1'000'000'000;
}

/// What prints is fixed in width, so only years 0..9999 can come back.
bool has_four_digit_year(Timestamp time) {
  return time.seconds >= -62'167'219'200 && time.seconds <= 253'402'300'799;
}

void check_printing(Timestamp time) {
  const std::string text = to_rfc3339(time);
  const std::string date = to_http_date(time);
  TARN_ASSERT(!to_s3_time(time).empty());
  if (!has_four_digit_year(time)) return;
  TARN_ASSERT(parse_rfc3339(text) == time);
  TARN_ASSERT(parse_http_date(date) == (Timestamp{.seconds = time.seconds}));
}

}  // namespace

void run(std::string_view input) {
  if (const auto time = parse_rfc3339(input)) {
    TARN_ASSERT(is_in_range(*time));
    check_printing(*time);
  }
  if (const auto time = parse_http_date(input)) {
    TARN_ASSERT(is_in_range(*time) && time->nanos == 0);
    check_printing(*time);
  }
  // Stored records hold any number of seconds.
  std::uint64_t bits = 0;
  for (int i = 0; i < 8; ++i)
    bits = bits << 8 | take_byte(input);
  check_printing({.seconds = static_cast<std::int64_t>(bits), .nanos = 7});
}

}  // namespace tarn::fuzz
