#include "s3gw/copy_source.h"

#include <charconv>

#include "base/bytes.h"

namespace tarn::s3gw {

namespace {

using aws::S3Error;
using aws::S3ErrorCode;

std::unexpected<S3Error> invalid(std::string_view name, std::string_view message) {
  return std::unexpected(S3Error{.code = S3ErrorCode::invalid_argument,
                                 .message = std::string(message),
                                 .details = {{"ArgumentName", std::string(name)}}});
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

}  // namespace

std::expected<CopySource, S3Error> parse_copy_source(std::string_view value) {
  constexpr std::string_view kName = "x-amz-copy-source";
  constexpr std::string_view kVersion = "?versionId=";
  CopySource source;
  if (const auto at = value.rfind(kVersion); at != std::string_view::npos) {
    source.version = value.substr(at + kVersion.size());
    value = value.substr(0, at);
  }
  const auto decoded = percent_decode(value);
  if (!decoded) return invalid(kName, "Copy Source must be URL-encoded.");
  std::string_view path = *decoded;
  if (path.starts_with('/')) path.remove_prefix(1);
  const auto slash = path.find('/');
  if (slash == 0 || slash == std::string_view::npos) {
    return invalid(kName,
                   "Copy Source must mention the source bucket and key: "
                   "sourcebucket/sourcekey.");
  }
  source.bucket = path.substr(0, slash);
  source.key = split_key(path.substr(slash + 1));
  if (source.key.ref.empty() || source.key.path.empty()) {
    return invalid(kName, "Copy Source must name a reference and a path in its key.");
  }
  if (auto ok = check_path(source.key.path); !ok) return std::unexpected(std::move(ok.error()));
  return source;
}

std::expected<block::ByteRange, S3Error> parse_copy_range(std::string_view value) {
  constexpr std::string_view kUnit = "bytes=";
  constexpr std::string_view kName = "x-amz-copy-source-range";
  constexpr std::string_view kMessage = "The range must be of the form bytes=first-last.";
  if (!value.starts_with(kUnit)) return invalid(kName, kMessage);
  value.remove_prefix(kUnit.size());
  const auto dash = value.find('-');
  if (dash == std::string_view::npos) return invalid(kName, kMessage);
  const auto first = parse_number(value.substr(0, dash));
  const auto last = parse_number(value.substr(dash + 1));
  if (!first || !last || *first > *last) return invalid(kName, kMessage);
  return block::ByteRange{.first = *first, .last = *last};
}

}  // namespace tarn::s3gw
