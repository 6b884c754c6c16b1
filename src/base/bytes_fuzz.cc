#include "base/bytes.h"
#include "base/error.h"
#include "testing/fuzz.h"

namespace tarn::fuzz {

namespace {

using Decode = std::optional<std::string> (*)(std::string_view);
using Encode = std::string (*)(std::string_view);

/// Whatever decodes is a value; its encoding stands for it, and any bytes can be encoded.
void check_codec(std::string_view input, Decode decode, Encode encode) {
  if (const auto decoded = decode(input)) TARN_ASSERT(decode(encode(*decoded)) == *decoded);
  TARN_ASSERT(decode(encode(input)) == input);
}

}  // namespace

void run(std::string_view input) {
  check_codec(input, from_hex, to_hex);
  check_codec(input, from_base64, to_base64);
  check_codec(input, from_base64url, to_base64url);
  check_codec(input, from_base32hex, to_base32hex);
  check_codec(input, percent_decode, [](std::string_view bytes) { return percent_encode(bytes); });
  TARN_ASSERT(percent_decode(percent_encode(input, "/+")) == input);
  std::string_view tail = input;
  const std::string_view head = take_until(tail, '\n');
  if (is_valid_utf8(head) && is_valid_utf8(tail)) {
    TARN_ASSERT(is_valid_utf8(std::string(head).append(tail)));
  }
  TARN_ASSERT(equal_constant_time(head, tail) == (head == tail));
}

}  // namespace tarn::fuzz
