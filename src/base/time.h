// Wall-clock instants as the stored formats have them, and the clock the server reads them from.
#pragma once

#include <compare>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "base/error.h"

namespace tarn {

/// An instant as google.protobuf.Timestamp holds it: seconds since 1970 UTC (may be negative, the
/// reference stores year 1) and nanoseconds 0..999'999'999 counted forward from that second.
struct Timestamp {
  std::int64_t seconds = 0;
  std::int32_t nanos = 0;
  friend auto operator<=>(const Timestamp&, const Timestamp&) = default;
};

/// "2026-11-21T10:00:00Z", or with up to nine fractional digits, trailing zeros dropped.
std::string to_rfc3339(Timestamp time);
/// "Sat, 21 Nov 2026 10:00:00 GMT" (RFC 9110 IMF-fixdate); sub-seconds are dropped.
std::string to_http_date(Timestamp time);
/// "2026-11-21T10:00:00.000Z": S3's fixed millisecond form.
std::string to_s3_time(Timestamp time);
std::expected<Timestamp, ParseError> parse_rfc3339(std::string_view text);
/// IMF-fixdate, and the two obsolete forms RFC 9110 5.6.7 obliges a recipient to accept.
std::expected<Timestamp, ParseError> parse_http_date(std::string_view text);

/// Source of wall-clock time. Tests use testing::FakeClock.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Timestamp now() const = 0;

 protected:
  Clock() = default;
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;
};

class SystemClock final : public Clock {
 public:
  Timestamp now() const override;
};

}  // namespace tarn
