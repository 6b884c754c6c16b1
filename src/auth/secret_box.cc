#include "auth/secret_box.h"

#include <sodium.h>

#include "base/error.h"
#include "base/random.h"

namespace tarn::auth {

namespace {

constexpr std::size_t kSaltBytes = 8;
constexpr std::size_t kNonceBytes = crypto_secretbox_NONCEBYTES;
constexpr std::size_t kTagBytes = crypto_secretbox_MACBYTES;
static_assert(kNonceBytes == 24 && kTagBytes == 16);

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

/// Wiped when it goes: the derived key is as good as the configured one.
struct Key {
  unsigned char bytes[crypto_secretbox_KEYBYTES];

  ~Key() { sodium_memzero(bytes, sizeof bytes); }
};

void derive(Key& key, std::string_view secret_key, std::string_view salt) {
  constexpr std::uint64_t kCost = 512;
  constexpr std::uint32_t kBlock = 8;
  constexpr std::uint32_t kParallel = 1;
  if (crypto_pwhash_scryptsalsa208sha256_ll(bytes_of(secret_key), secret_key.size(), bytes_of(salt),
                                            salt.size(), kCost, kBlock, kParallel, key.bytes,
                                            sizeof key.bytes) != 0) {
    throw Error(ErrorCode::internal, "key derivation failed");
  }
}

}  // namespace

std::string seal_secret_with(std::string_view secret_key, std::string_view message,
                             std::string_view salt, std::string_view nonce) {
  TARN_ASSERT(salt.size() == kSaltBytes && nonce.size() == kNonceBytes);
  Key key;
  derive(key, secret_key, salt);
  std::string sealed(kTagBytes + message.size(), '\0');
  crypto_secretbox_easy(reinterpret_cast<unsigned char*>(sealed.data()), bytes_of(message),
                        message.size(), bytes_of(nonce), key.bytes);
  return std::string(salt).append(nonce).append(sealed);
}

std::string seal_secret(std::string_view secret_key, std::string_view message) {
  return seal_secret_with(secret_key, message, random_bytes(kSaltBytes), random_bytes(kNonceBytes));
}

std::optional<std::string> open_secret(std::string_view secret_key, std::string_view blob) {
  if (blob.size() < kSaltBytes + kNonceBytes + kTagBytes) return std::nullopt;
  const std::string_view salt = blob.substr(0, kSaltBytes);
  const std::string_view nonce = blob.substr(kSaltBytes, kNonceBytes);
  const std::string_view sealed = blob.substr(kSaltBytes + kNonceBytes);
  Key key;
  derive(key, secret_key, salt);
  std::string message(sealed.size() - kTagBytes, '\0');
  if (crypto_secretbox_open_easy(reinterpret_cast<unsigned char*>(message.data()), bytes_of(sealed),
                                 sealed.size(), bytes_of(nonce), key.bytes) != 0) {
    return std::nullopt;
  }
  return message;
}

}  // namespace tarn::auth
