#include "aws/aws_date.h"

#include <chrono>

#include "aws/signed_request.h"
#include "base/format.h"

namespace tarn::aws {

namespace {

std::optional<int> parse_digits(std::string_view text) {
  int value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

/// Seconds east of Greenwich; nullopt for a zone we do not know.
std::optional<std::int64_t> parse_zone(std::string_view zone) {
  if (zone == "GMT" || zone == "UTC" || zone == "Z" || zone == "UT") return 0;
  if (zone.size() != 5 || (zone[0] != '+' && zone[0] != '-')) return std::nullopt;
  const auto hours = parse_digits(zone.substr(1, 2));
  const auto minutes = parse_digits(zone.substr(3, 2));
  if (!hours || !minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  const std::int64_t seconds = *hours * 3'600 + *minutes * 60;
  return zone[0] == '-' ? -seconds : seconds;
}

}  // namespace

std::string to_iso_basic(Timestamp time) {
  using namespace std::chrono;
  const sys_seconds at{seconds(time.seconds)};
  const auto day = floor<days>(at);
  const year_month_day date(day);
  const hh_mm_ss clock(at - day);
  return format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

std::optional<Timestamp> parse_iso_basic(std::string_view text) {
  using namespace std::chrono;
  if (text.size() != 16 || text[8] != 'T' || text[15] != 'Z') return std::nullopt;
  const auto y = parse_digits(text.substr(0, 4));
  const auto m = parse_digits(text.substr(4, 2));
  const auto d = parse_digits(text.substr(6, 2));
  const auto hour = parse_digits(text.substr(9, 2));
  const auto minute = parse_digits(text.substr(11, 2));
  const auto second = parse_digits(text.substr(13, 2));
  if (!y || !m || !d || !hour || !minute || !second) return std::nullopt;
  const year_month_day date(year(*y), month(static_cast<unsigned>(*m)),
                            day(static_cast<unsigned>(*d)));
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  const auto at = sys_days(date) + hours(*hour) + minutes(*minute) + seconds(*second);
  return Timestamp{.seconds = at.time_since_epoch().count(), .nanos = 0};
}

std::optional<Timestamp> parse_aws_date(std::string_view text) {
  text = trim(text);
  if (auto basic = parse_iso_basic(text)) return basic;
  const std::size_t space = text.rfind(' ');
  if (space == std::string_view::npos) return std::nullopt;
  const auto zone = parse_zone(text.substr(space + 1));
  if (!zone) return std::nullopt;
  auto time = parse_http_date(std::string(text.substr(0, space)) + " GMT");
  if (!time) return std::nullopt;
  time->seconds -= *zone;
  return *time;
}

}  // namespace tarn::aws
