#include "base/random.h"

#include <openssl/rand.h>

#include "base/bytes.h"
#include "base/error.h"

namespace tarn {

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  // OpenSSL takes an int; nobody needs two gigabytes of secret.
  TARN_ASSERT(count <= (1U << 20));
  if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(count)) != 1) {
    throw Error(ErrorCode::internal, "no random bytes from the operating system");
  }
  return bytes;
}

std::string make_uuid() {
  std::string bytes = random_bytes(16);
  bytes[6] = static_cast<char>((bytes[6] & 0x0f) | 0x40);  // version 4
  bytes[8] = static_cast<char>((bytes[8] & 0x3f) | 0x80);  // RFC 9562 variant
  std::string text = to_hex(bytes);
  for (const std::size_t at : {8, 13, 18, 23})
    text.insert(at, 1, '-');
  return text;
}

}  // namespace tarn
