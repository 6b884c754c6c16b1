#include "base/error.h"
#include "http/request_head.h"
#include "http/response_head.h"
#include "testing/fuzz.h"

namespace tarn::fuzz {

void run(std::string_view input) {
  constexpr std::size_t kHeadBytesMax = 2'048;
  const bool to_head = take_byte(input) % 2 == 1;
  http::HeadScanner scanner;
  const auto end = scanner.scan(input, kHeadBytesMax);
  if (!end || !*end) return;
  const std::string_view bytes = input.substr(0, **end);
  const auto head = http::parse_response_head(bytes, to_head);
  if (!head) {
    TARN_ASSERT(!head.error().message.empty());
    return;
  }
  using Framing = http::ResponseHead::Framing;
  TARN_ASSERT(head->status >= 100 && head->status <= 999);
  TARN_ASSERT(!to_head || head->framing == Framing::none);
  TARN_ASSERT(head->framing != Framing::length || head->has_length);
  TARN_ASSERT(head->framing != Framing::until_close || !head->keep_alive);
  for (const auto& [name, value] : head->fields) {
    TARN_ASSERT(http::is_token(name));
    TARN_ASSERT(value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos);
  }
}

}  // namespace tarn::fuzz
