// What an S3 request says in its host, path and headers.
#include "base/bytes.h"
#include "base/error.h"
#include "s3gw/address.h"
#include "s3gw/byte_range.h"
#include "s3gw/conditions.h"
#include "s3gw/continuation_token.h"
#include "s3gw/copy_source.h"
#include "s3gw/encoded_words.h"
#include "s3gw/operations.h"
#include "s3gw/part_count.h"
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

void check_conditions(std::string_view list, std::string_view etag) {
  constexpr Timestamp kNow{.seconds = 1'767'225'600};
  const s3gw::Preconditions conditions{.if_match = std::string(list),
                                       .if_unmodified_since = std::string(etag)};
  const bool matches = s3gw::etag_matches(list, etag);
  const auto verdict = s3gw::evaluate(conditions, etag, kNow, kNow);
  TARN_ASSERT(matches == (verdict.header != "If-Match"));
  static_cast<void>(s3gw::part_count_of(etag));
  const auto number = s3gw::parse_part_number(list);
  if (number) TARN_ASSERT(*number >= 1 && *number <= 10'000);
}

/// Method "GET", "PUT", ... by a byte; a query as the signature confirmed it.
void check_operation(std::string_view text) {
  constexpr std::string_view kMethods[] = {"GET", "PUT", "POST", "DELETE", "HEAD", "PATCH"};
  const std::uint8_t form = take_byte(text);
  std::vector<aws::QueryItem> query;
  while (!text.empty()) {
    std::string_view value = take_until(text, '&');
    const std::string_view name = take_until(value, '=');
    query.push_back({std::string(name), std::string(value)});
  }
  const auto found = s3gw::find_operation({.method = kMethods[form % 6],
                                           .level = static_cast<s3gw::Level>(form / 6 % 3),
                                           .query = query,
                                           .copies = form >= 128});
  if (!found) return;
  TARN_ASSERT((*found)->handler != nullptr && (*found)->method == kMethods[form % 6]);
}

}  // namespace

void run(std::string_view input) {
  std::string_view rest = input;
  const std::string_view host = take_until(rest, '\n');
  const std::string_view path = take_until(rest, '\n');
  check_target(host, path);
  check_range(path);
  check_words(path);
  check_conditions(host, path);
  check_operation(rest);
  static_cast<void>(s3gw::parse_copy_source(path));
  static_cast<void>(s3gw::parse_token(path));
  TARN_ASSERT(s3gw::parse_token(s3gw::make_token(input, true)) == input);
}

}  // namespace tarn::fuzz
