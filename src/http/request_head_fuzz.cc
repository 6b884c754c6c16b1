#include <functional>

#include "base/error.h"
#include "http/message.h"
#include "http/request_head.h"
#include "testing/fuzz.h"

namespace tarn::fuzz {

namespace {

constexpr std::size_t kHeadBytesMax = 2'048;

struct Scan {
  std::optional<std::size_t> end;
  std::uint16_t status = 0;
  friend bool operator==(const Scan&, const Scan&) = default;
};

Scan scan_growing(std::string_view bytes, std::size_t step) {
  http::HeadScanner scanner;
  for (std::size_t size = std::min(step, bytes.size());;
       size = std::min(size + step, bytes.size())) {
    const auto end = scanner.scan(bytes.substr(0, size), kHeadBytesMax);
    if (!end) return {.end = std::nullopt, .status = end.error().status};
    if (*end || size == bytes.size()) return {.end = *end};
  }
}

bool lies_in(std::string_view part, std::string_view whole) {
  const std::less_equal<> before;
  return part.empty() || (before(whole.data(), part.data()) &&
                          before(part.data() + part.size(), whole.data() + whole.size()));
}

bool breaks_a_line(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
}

void check_head(std::string_view bytes) {
  http::RequestHead head;
  const auto parsed = http::parse_head(bytes, head);
  if (!parsed) {
    TARN_ASSERT(parsed.error().status == 400 || parsed.error().status == 501 ||
                parsed.error().status == 505 || parsed.error().status == 414 ||
                parsed.error().status == 417);
    return;
  }
  TARN_ASSERT(http::is_token(head.method) && lies_in(head.method, bytes));
  TARN_ASSERT(lies_in(head.target, bytes) || lies_in(head.target, head.rewritten));
  TARN_ASSERT(!head.target.empty() && !breaks_a_line(head.target));
  TARN_ASSERT(head.target.find(' ') == std::string_view::npos);
  TARN_ASSERT(head.framing == http::RequestHead::Framing::length || head.content_length == 0);
  for (const auto& [name, value] : head.fields) {
    TARN_ASSERT(http::is_token(name) && lies_in(name, bytes));
    TARN_ASSERT(!breaks_a_line(value) && lies_in(value, bytes));
    TARN_ASSERT(head.find(name).has_value());
  }
  TARN_ASSERT(http::parse_query(head.query()).size() <= head.query().size() + 1);
}

}  // namespace

void run(std::string_view input) {
  const std::size_t step = 1 + take_byte(input) % 64;
  input.remove_prefix(http::leading_empty_lines(input));
  const Scan whole = scan_growing(input, input.size() + 1);
  TARN_ASSERT(scan_growing(input, step) == whole);
  if (!whole.end) return;
  TARN_ASSERT(*whole.end <= input.size() && *whole.end <= kHeadBytesMax);
  check_head(input.substr(0, *whole.end));
}

}  // namespace tarn::fuzz
