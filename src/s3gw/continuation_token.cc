#include "s3gw/continuation_token.h"

#include "base/bytes.h"
#include "base/hash.h"

namespace tarn::s3gw {

namespace {

constexpr char kVersion = 1;
constexpr std::size_t kHeadBytes = 2;  // version, kind
constexpr std::size_t kSumBytes = 4;

std::string checksum(std::string_view bytes) {
  std::string out;
  append_be32(out, crc32(0, bytes));
  return out;
}

}  // namespace

std::string make_token(std::string_view last, bool is_prefix) {
  std::string bytes;
  bytes += kVersion;
  bytes += is_prefix ? '\1' : '\0';
  bytes += last;
  return to_base64url(bytes + checksum(bytes));
}

std::optional<std::string> parse_token(std::string_view token) {
  const auto bytes = from_base64url(token);
  if (!bytes || bytes->size() < kHeadBytes + kSumBytes || bytes->front() != kVersion) {
    return std::nullopt;
  }
  const std::string_view signed_part(bytes->data(), bytes->size() - kSumBytes);
  if (bytes->substr(signed_part.size()) != checksum(signed_part)) return std::nullopt;
  return std::string(signed_part.substr(kHeadBytes));
}

}  // namespace tarn::s3gw
