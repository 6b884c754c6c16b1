#include "http/loop_state.h"

#include <array>
#include <cstring>

#include "base/random.h"

namespace tarn::http {

RequestIds::RequestIds() {
  std::array<std::uint32_t, 8> words{};
  const std::string bytes = random_bytes(sizeof(words));
  std::memcpy(words.data(), bytes.data(), sizeof(words));
  std::seed_seq seed(words.begin(), words.end());
  random_.seed(seed);
}

std::string RequestIds::next() {
  constexpr std::string_view kPattern = "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx";
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text(kPattern);
  std::uint64_t bits = 0;
  int left = 0;
  for (char& c : text) {
    if (c != 'x' && c != 'y') continue;
    if (left == 0) {
      bits = random_();
      left = 16;
    }
    const auto digit = static_cast<std::size_t>(bits & 0xf);
    c = kHex[c == 'x' ? digit : (digit & 0x3) | 0x8];
    bits >>= 4;
    --left;
  }
  return text;
}

std::string_view HttpDate::now() {
  const Timestamp time = clock_.now();
  if (time.seconds != second_) {
    second_ = time.seconds;
    text_ = to_http_date(time);
  }
  return text_;
}

}  // namespace tarn::http
