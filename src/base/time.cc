#include "base/time.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include "base/format.h"

namespace tarn {

namespace {

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

constexpr std::array<std::string_view, 7> kLongDays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                       "Thursday", "Friday", "Saturday"};

struct Civil {
  std::int64_t year;
  unsigned month, day, hour, minute, second, weekday;
};

// Howard Hinnant's days-from-civil algorithms, good for the whole range of years 0..9999.
Civil civil_of(std::int64_t seconds) {
  std::int64_t days = seconds / 86'400;
  std::int64_t rest = seconds % 86'400;
  if (rest < 0) {
    rest += 86'400;
    --days;
  }
  const std::int64_t z = days + 719'468;
  const std::int64_t era = (z >= 0 ? z : z - 146'096) / 146'097;
  const auto doe = static_cast<unsigned>(z - era * 146'097);
  const unsigned yoe = (doe - doe / 1460 + doe / 36'524 - doe / 146'096) / 365;
  const unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  const unsigned mp = (5 * doy + 2) / 153;
  const unsigned month = mp < 10 ? mp + 3 : mp - 9;
  std::int64_t weekday = (days + 4) % 7;
  if (weekday < 0) weekday += 7;
  return {.year = static_cast<std::int64_t>(yoe) + era * 400 + (month <= 2 ? 1 : 0),
          .month = month,
          .day = doy - (153 * mp + 2) / 5 + 1,
          .hour = static_cast<unsigned>(rest / 3600),
          .minute = static_cast<unsigned>(rest / 60 % 60),
          .second = static_cast<unsigned>(rest % 60),
          .weekday = static_cast<unsigned>(weekday)};
}

std::int64_t seconds_of(std::int64_t year, unsigned month, unsigned day) {
  year -= month <= 2;
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const auto yoe = static_cast<unsigned>(year - era * 400);
  const unsigned doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  const unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
  return (era * 146'097 + static_cast<std::int64_t>(doe) - 719'468) * 86'400;
}

std::int64_t seconds_into_day(std::int64_t hour, std::int64_t minute, std::int64_t second) {
  return hour * 3600 + minute * 60 + second;
}

unsigned days_in(std::int64_t year, unsigned month) {
  constexpr std::array<unsigned, 12> kLengths = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return kLengths[month - 1] + (month == 2 && leap ? 1 : 0);
}

/// Reads fixed pieces off the front of a text; any mismatch makes `ok` false and sticks.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  unsigned number(std::size_t digits) {
    unsigned value = 0;
    if (text_.size() < digits) return fail();
    const auto [end, error] = std::from_chars(text_.data(), text_.data() + digits, value);
    if (error != std::errc{} || end != text_.data() + digits) return fail();
    text_.remove_prefix(digits);
    return value;
  }

  void literal(std::string_view expected) {
    if (text_.starts_with(expected)) {
      text_.remove_prefix(expected.size());
    } else {
      fail();
    }
  }

  template <std::size_t N>
  unsigned name(const std::array<std::string_view, N>& names) {
    for (std::size_t i = 0; i < N; ++i) {
      if (text_.starts_with(names[i])) {
        text_.remove_prefix(names[i].size());
        return static_cast<unsigned>(i);
      }
    }
    return fail();
  }

  std::string_view rest() const { return text_; }

  void skip(std::size_t count) { text_.remove_prefix(count); }

  bool ok() const { return ok_; }

  unsigned fail() {
    ok_ = false;
    return 0;
  }

 private:
  std::string_view text_;
  bool ok_ = true;
};

std::expected<Timestamp, ParseError> bad(std::string_view text) {
  return std::unexpected(ParseError{format("not a valid time: '{}'", text)});
}

bool in_range(std::int64_t year, unsigned month, unsigned day, unsigned hour, unsigned minute,
              unsigned second) {
  return month >= 1 && month <= 12 && day >= 1 && day <= days_in(year, month) && hour < 24 &&
         minute < 60 && second < 61;
}

}  // namespace

std::string to_rfc3339(Timestamp time) {
  const Civil c = civil_of(time.seconds);
  std::string text = format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", c.year, c.month, c.day, c.hour,
                            c.minute, c.second);
  if (time.nanos != 0) {
    std::string fraction = format(".{:09}", time.nanos);
    fraction.resize(fraction.find_last_not_of('0') + 1);
    text += fraction;
  }
  return text + 'Z';
}

std::string to_http_date(Timestamp time) {
  const Civil c = civil_of(time.seconds);
  return format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kDays[c.weekday], c.day,
                kMonths[c.month - 1], c.year, c.hour, c.minute, c.second);
}

std::string to_s3_time(Timestamp time) {
  const Civil c = civil_of(time.seconds);
  return format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", c.year, c.month, c.day, c.hour,
                c.minute, c.second, time.nanos / 1'000'000);
}

std::expected<Timestamp, ParseError> parse_rfc3339(std::string_view text) {
  Scanner in(text);
  const unsigned year = in.number(4);
  in.literal("-");
  const unsigned month = in.number(2);
  in.literal("-");
  const unsigned day = in.number(2);
  if (in.rest().starts_with('t') || in.rest().starts_with(' ')) {
    in.skip(1);
  } else {
    in.literal("T");
  }
  const unsigned hour = in.number(2);
  in.literal(":");
  const unsigned minute = in.number(2);
  in.literal(":");
  const unsigned second = in.number(2);
  if (!in.ok() || !in_range(year, month, day, hour, minute, second)) return bad(text);
  Timestamp time;
  if (in.rest().starts_with('.')) {
    in.skip(1);
    std::int32_t unit = 100'000'000;
    std::size_t digits = 0;
    while (!in.rest().empty() && in.rest().front() >= '0' && in.rest().front() <= '9') {
      time.nanos += (in.rest().front() - '0') * unit;
      unit /= 10;
      in.skip(1);
      ++digits;
    }
    if (digits == 0) return bad(text);
  }
  std::int64_t offset_seconds = 0;
  if (in.rest() == "Z" || in.rest() == "z") {
    in.skip(1);
  } else {
    const bool east = in.rest().starts_with('+');
    if (!east && !in.rest().starts_with('-')) return bad(text);
    in.skip(1);
    const unsigned offset_hour = in.number(2);
    in.literal(":");
    const unsigned offset_minute = in.number(2);
    if (!in.ok() || offset_hour > 23 || offset_minute > 59) return bad(text);
    offset_seconds = (east ? 1 : -1) * seconds_into_day(offset_hour, offset_minute, 0);
  }
  if (!in.ok() || !in.rest().empty()) return bad(text);
  time.seconds =
      seconds_of(year, month, day) + seconds_into_day(hour, minute, second) - offset_seconds;
  return time;
}

std::expected<Timestamp, ParseError> parse_http_date(std::string_view text) {
  const auto comma = text.find(',');
  unsigned year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  Scanner in(comma == std::string_view::npos ? text : text.substr(comma + 1));
  const auto clock = [&] {
    hour = in.number(2);
    in.literal(":");
    minute = in.number(2);
    in.literal(":");
    second = in.number(2);
  };
  if (comma == std::string_view::npos) {  // asctime: Sun Nov  6 08:49:37 1994
    in.name(kDays);
    in.literal(" ");
    month = in.name(kMonths) + 1;
    in.literal(" ");
    if (in.rest().starts_with(' ')) {
      in.skip(1);
      day = in.number(1);
    } else {
      day = in.number(2);
    }
    in.literal(" ");
    clock();
    in.literal(" ");
    year = in.number(4);
  } else {
    in.literal(" ");
    day = in.number(2);
    const std::string_view weekday = text.substr(0, comma);
    const bool rfc850 = in.rest().starts_with('-');
    if (std::ranges::count(rfc850 ? kLongDays : kDays, weekday) == 0) in.fail();
    if (rfc850) {  // RFC 850: Sunday, 06-Nov-94 08:49:37 GMT
      in.skip(1);
      month = in.name(kMonths) + 1;
      in.literal("-");
      year = in.number(2);
      year += year < 70 ? 2000 : 1900;
    } else {
      in.literal(" ");
      month = in.name(kMonths) + 1;
      in.literal(" ");
      year = in.number(4);
    }
    in.literal(" ");
    clock();
    in.literal(" GMT");
  }
  if (!in.ok() || !in.rest().empty() || !in_range(year, month, day, hour, minute, second)) {
    return bad(text);
  }
  return Timestamp{.seconds = seconds_of(year, month, day) + seconds_into_day(hour, minute, second),
                   .nanos = 0};
}

Timestamp SystemClock::now() const {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  const auto whole = std::chrono::floor<std::chrono::seconds>(since);
  return {.seconds = whole.count(),
          .nanos = static_cast<std::int32_t>(std::chrono::nanoseconds(since - whole).count())};
}

}  // namespace tarn
