#include "s3gw/part_count.h"

#include <charconv>

#include "aws/request_xml.h"

namespace tarn::s3gw {

namespace {

std::optional<std::uint32_t> parse_number(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  if (value < 1 || value > aws::kPartNumberMax) return std::nullopt;
  return value;
}

}  // namespace

std::expected<std::uint32_t, aws::S3Error> parse_part_number(std::string_view text) {
  if (const auto number = parse_number(text)) return *number;
  return std::unexpected(
      aws::S3Error{.code = aws::S3ErrorCode::invalid_argument,
                   .message = "Part number must be an integer between 1 and 10000, inclusive",
                   .details = {{"ArgumentName", "partNumber"},
                               {"ArgumentValue", std::string(text.substr(0, 256))}}});
}

std::optional<std::uint32_t> part_count_of(std::string_view etag) {
  const auto dash = etag.rfind('-');
  if (dash == std::string_view::npos) return std::nullopt;
  return parse_number(etag.substr(dash + 1));
}

}  // namespace tarn::s3gw
