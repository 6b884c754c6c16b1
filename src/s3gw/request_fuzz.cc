// What an S3 request says in its host, path and headers.
#include "base/bytes.h"
#include "base/error.h"
#include "s3gw/address.h"
#include "s3gw/byte_range.h"
#include "s3gw/continuation_token.h"
#include "s3gw/copy_source.h"
#include "s3gw/encoded_words.h"
#include "testing/fuzz.h"

namespace tarn::fuzz {

namespace {

void check_target(std::string_view host, std::string_view path) {
  static const std::vector<std::string> kDomains = {"s3.example.test", "example.test", "localhost"};
  const auto target = s3gw::parse_target(host, path, kDomains);
  if (!target) return;
  using s3gw::Level;
  // "//" names the empty bucket, which no repository is.
  TARN_ASSERT(target->level != Level::service || target->bucket.empty());
  TARN_ASSERT(target->key.empty() == (target->level != Level::key));
  const auto key = s3gw::split_key(target->key);
  TARN_ASSERT(key.ref + (key.has_path ? "/" : "") + key.path == target->key);
  static_cast<void>(s3gw::check_path(key.path));
}

void check_range(std::string_view header) {
  for (const std::uint64_t size :
       {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1'000}, std::uint64_t{UINT64_MAX}}) {
    const auto answer = s3gw::resolve_range(header, size);
    if (answer.kind != s3gw::RangeAnswer::Kind::part) continue;
    TARN_ASSERT(answer.range.first <= answer.range.last && answer.range.last < size);
  }
  if (const auto range = s3gw::parse_copy_range(header)) TARN_ASSERT(range->first <= range->last);
}

void check_words(std::string_view text) {
  const std::string decoded = s3gw::decode_words(text);
  TARN_ASSERT(is_valid_utf8(decoded));
  const std::string encoded = s3gw::encode_words(decoded);
  for (const char c : encoded)
    TARN_ASSERT(c >= 0x20 && c < 0x7f);
  // Text that itself looks like an encoded word reads as one.
  if (decoded.find("=?") == std::string::npos) TARN_ASSERT(s3gw::decode_words(encoded) == decoded);
}

}  // namespace

void run(std::string_view input) {
  std::string_view rest = input;
  const std::string_view host = take_until(rest, '\n');
  const std::string_view path = take_until(rest, '\n');
  check_target(host, path);
  check_range(path);
  check_words(path);
  static_cast<void>(s3gw::parse_copy_source(path));
  static_cast<void>(s3gw::parse_token(path));
  TARN_ASSERT(s3gw::parse_token(s3gw::make_token(input, true)) == input);
}

}  // namespace tarn::fuzz
