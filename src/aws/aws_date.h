// The date forms of signed requests: ISO 8601 basic and the RFC 1123 family.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace tarn::aws {

/// Widest accepted distance between a request's date and ours (RequestTimeTooSkewed beyond).
inline constexpr std::int64_t kSkewSecondsMax = 900;

/// "20130524T000000Z".
std::string to_iso_basic(Timestamp time);
std::optional<Timestamp> parse_iso_basic(std::string_view text);
/// ISO basic, or RFC 1123 with GMT, UTC, Z or a numeric offset.
std::optional<Timestamp> parse_aws_date(std::string_view text);

}  // namespace tarn::aws
