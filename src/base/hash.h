// Digests, checksums and message authentication over OpenSSL and ISA-L. Contexts are reusable and
// not thread-safe; free functions are. Digests are raw bytes: to_hex() them for display.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace tarn {

/// A running digest. finish() returns the digest and resets for the next message.
class Hasher {
 public:
  enum class Kind { md5, sha1, sha256 };
  explicit Hasher(Kind kind);
  ~Hasher();
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;

  void update(std::string_view bytes);
  std::string finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

std::string md5(std::string_view bytes);     // 16 bytes
std::string sha1(std::string_view bytes);    // 20 bytes
std::string sha256(std::string_view bytes);  // 32 bytes

std::string hmac_sha1(std::string_view key, std::string_view message);
std::string hmac_sha256(std::string_view key, std::string_view message);

/// A keyed HMAC-SHA256 prepared once and used many times (0.2 us a message instead of 1.0).
class HmacSha256 {
 public:
  explicit HmacSha256(std::string_view key);
  ~HmacSha256();
  HmacSha256(HmacSha256&&) noexcept;
  HmacSha256& operator=(HmacSha256&&) noexcept;

  std::string operator()(std::string_view message);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Each continues `crc` (the value returned for the bytes before; 0 to start).
std::uint32_t crc32(std::uint32_t crc, std::string_view bytes);   // IEEE 802.3, as zlib
std::uint32_t crc32c(std::uint32_t crc, std::string_view bytes);  // Castagnoli
std::uint64_t crc64_nvme(std::uint64_t crc,
                         std::string_view bytes);  // check value ae8b14860a799888

std::uint64_t fnv1a_64(std::string_view bytes);
std::uint32_t fnv1a_32(std::string_view bytes);

}  // namespace tarn
