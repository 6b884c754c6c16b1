#include "base/hash.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <utility>

#include <isa-l/crc.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "base/error.h"

namespace tarn {

namespace {

void require(bool ok, const char* what) {
  if (!ok) throw Error(ErrorCode::internal, std::string("openssl: ") + what);
}

struct FreeMdCtx {
  void operator()(EVP_MD_CTX* ctx) const { EVP_MD_CTX_free(ctx); }
};

struct FreeMacCtx {
  void operator()(EVP_MAC_CTX* ctx) const { EVP_MAC_CTX_free(ctx); }
};

using MdCtx = std::unique_ptr<EVP_MD_CTX, FreeMdCtx>;
using MacCtx = std::unique_ptr<EVP_MAC_CTX, FreeMacCtx>;

const EVP_MD* fetch_digest(const char* name) {
  const EVP_MD* digest = EVP_MD_fetch(nullptr, name, nullptr);
  require(digest != nullptr, name);
  return digest;
}

// Fetching walks the provider tables under a lock, so each algorithm is fetched once and kept.
const EVP_MD* digest_of(Hasher::Kind kind) {
  switch (kind) {
    case Hasher::Kind::md5: {
      static const EVP_MD* const kMd5 = fetch_digest("MD5");
      return kMd5;
    }
    case Hasher::Kind::sha1: {
      static const EVP_MD* const kSha1 = fetch_digest("SHA1");
      return kSha1;
    }
    case Hasher::Kind::sha256: {
      static const EVP_MD* const kSha256 = fetch_digest("SHA256");
      return kSha256;
    }
  }
  std::unreachable();
}

MacCtx new_hmac(const char* digest) {
  static EVP_MAC* const kHmac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  require(kHmac != nullptr, "HMAC");
  MacCtx ctx(EVP_MAC_CTX_new(kHmac));
  require(ctx != nullptr, "EVP_MAC_CTX_new");
  const std::array params = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, const_cast<char*>(digest), 0),
      OSSL_PARAM_construct_end()};
  require(EVP_MAC_CTX_set_params(ctx.get(), params.data()) == 1, "HMAC digest");
  return ctx;
}

const unsigned char* data_of(std::string_view bytes) {
  // A null key would mean "keep the key": an empty view may hold a null pointer.
  return reinterpret_cast<const unsigned char*>(bytes.empty() ? "" : bytes.data());
}

void set_key(EVP_MAC_CTX* ctx, std::string_view key) {
  require(EVP_MAC_init(ctx, data_of(key), key.size(), nullptr) == 1, "HMAC key");
}

std::string mac_of(EVP_MAC_CTX* ctx, std::string_view message) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out;
  std::size_t size = 0;
  require(EVP_MAC_update(ctx, data_of(message), message.size()) == 1, "HMAC update");
  require(EVP_MAC_final(ctx, out.data(), &size, out.size()) == 1, "HMAC final");
  return {reinterpret_cast<const char*>(out.data()), size};
}

std::string digest_once(Hasher::Kind kind, std::string_view bytes) {
  // One context per thread and algorithm: half the cost of a short digest is making a context.
  thread_local std::array<std::unique_ptr<Hasher>, 3> hashers;
  auto& hasher = hashers[static_cast<std::size_t>(kind)];
  if (!hasher) hasher = std::make_unique<Hasher>(kind);
  hasher->update(bytes);
  return hasher->finish();
}

constexpr std::uint64_t kCrc64NvmePolynomial = 0x9a6c9329ac4bc9b5;  // reflected

using Crc64Tables = std::array<std::array<std::uint64_t, 256>, 16>;

// tables[k][b] is the effect of byte b followed by k zero bytes.
constexpr Crc64Tables make_crc64_tables() {
  Crc64Tables tables{};
  for (std::uint64_t byte = 0; byte < 256; ++byte) {
    std::uint64_t crc = byte;
    for (int bit = 0; bit < 8; ++bit)
      crc = crc >> 1 ^ (crc & 1 ? kCrc64NvmePolynomial : 0);
    tables[0][byte] = crc;
  }
  for (std::size_t k = 1; k < tables.size(); ++k) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint64_t before = tables[k - 1][byte];
      tables[k][byte] = before >> 8 ^ tables[0][before & 0xff];
    }
  }
  return tables;
}

constexpr Crc64Tables kCrc64 = make_crc64_tables();

std::uint64_t load_le64(const char* from) {
  static_assert(std::endian::native == std::endian::little);
  std::uint64_t value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

}  // namespace

struct Hasher::Impl {
  const EVP_MD* digest;
  MdCtx ctx;
};

Hasher::Hasher(Kind kind)
    : impl_(std::make_unique<Impl>(Impl{digest_of(kind), MdCtx(EVP_MD_CTX_new())})) {
  require(impl_->ctx != nullptr, "EVP_MD_CTX_new");
  require(EVP_DigestInit_ex2(impl_->ctx.get(), impl_->digest, nullptr) == 1, "digest init");
}

Hasher::~Hasher() = default;
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;

void Hasher::update(std::string_view bytes) {
  require(EVP_DigestUpdate(impl_->ctx.get(), bytes.data(), bytes.size()) == 1, "digest update");
}

std::string Hasher::finish() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out;
  unsigned size = 0;
  require(EVP_DigestFinal_ex(impl_->ctx.get(), out.data(), &size) == 1, "digest final");
  require(EVP_DigestInit_ex2(impl_->ctx.get(), impl_->digest, nullptr) == 1, "digest init");
  return {reinterpret_cast<const char*>(out.data()), size};
}

std::string md5(std::string_view bytes) {
  return digest_once(Hasher::Kind::md5, bytes);
}

std::string sha1(std::string_view bytes) {
  return digest_once(Hasher::Kind::sha1, bytes);
}

std::string sha256(std::string_view bytes) {
  return digest_once(Hasher::Kind::sha256, bytes);
}

std::string hmac_sha1(std::string_view key, std::string_view message) {
  static thread_local MacCtx ctx = new_hmac("SHA1");
  set_key(ctx.get(), key);
  return mac_of(ctx.get(), message);
}

std::string hmac_sha256(std::string_view key, std::string_view message) {
  static thread_local MacCtx ctx = new_hmac("SHA256");
  set_key(ctx.get(), key);
  return mac_of(ctx.get(), message);
}

struct HmacSha256::Impl {
  MacCtx ctx = new_hmac("SHA256");
};

HmacSha256::HmacSha256(std::string_view key) : impl_(std::make_unique<Impl>()) {
  set_key(impl_->ctx.get(), key);
}

HmacSha256::~HmacSha256() = default;
HmacSha256::HmacSha256(HmacSha256&&) noexcept = default;
HmacSha256& HmacSha256::operator=(HmacSha256&&) noexcept = default;

std::string HmacSha256::operator()(std::string_view message) {
  // Without a key, init rewinds to the state after the last one was absorbed.
  require(EVP_MAC_init(impl_->ctx.get(), nullptr, 0, nullptr) == 1, "HMAC reuse");
  return mac_of(impl_->ctx.get(), message);
}

std::uint32_t crc32(std::uint32_t crc, std::string_view bytes) {
  return crc32_gzip_refl(crc, data_of(bytes), bytes.size());  // inverts on both ends itself
}

std::uint32_t crc32c(std::uint32_t crc, std::string_view bytes) {
  // crc32_iscsi is the bare remainder over an int's worth of bytes; the inversions are ours.
  constexpr std::size_t kPieceMax = std::numeric_limits<int>::max();
  std::uint32_t state = ~crc;
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, kPieceMax);
    state = crc32_iscsi(const_cast<unsigned char*>(data_of(piece)), static_cast<int>(piece.size()),
                        state);
    bytes.remove_prefix(piece.size());
  }
  return ~state;
}

std::uint64_t crc64_nvme(std::uint64_t crc, std::string_view bytes) {
  std::uint64_t state = ~crc;
  while (bytes.size() >= 16) {
    const std::uint64_t first = load_le64(bytes.data()) ^ state;
    const std::uint64_t second = load_le64(bytes.data() + 8);
    state = 0;
    for (unsigned i = 0; i < 8; ++i) {
      state ^= kCrc64[15 - i][first >> (8 * i) & 0xff];
      state ^= kCrc64[7 - i][second >> (8 * i) & 0xff];
    }
    bytes.remove_prefix(16);
  }
  for (const char c : bytes) {
    state = state >> 8 ^ kCrc64[0][(state ^ static_cast<unsigned char>(c)) & 0xff];
  }
  return ~state;
}

std::uint64_t fnv1a_64(std::string_view bytes) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : bytes)
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

std::uint32_t fnv1a_32(std::string_view bytes) {
  std::uint32_t hash = 0x811c9dc5;
  for (const char c : bytes)
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x01000193;
  return hash;
}

}  // namespace tarn
