#include "s3gw/address.h"

#include "aws/signed_request.h"
#include "base/bytes.h"
#include "catalog/entry.h"

namespace tarn::s3gw {

namespace {

using aws::S3Error;
using aws::S3ErrorCode;

std::string host_name(std::string_view host) {
  if (!host.starts_with('[')) host = host.substr(0, host.rfind(':'));
  if (host.ends_with('.')) host.remove_suffix(1);
  return aws::to_lower(host);
}

/// What stands before ".domain" of the longest domain that fits; empty for none.
std::string_view labels_before_domain(std::string_view host,
                                      const std::vector<std::string>& domains) {
  std::string_view labels;
  std::size_t longest = 0;
  for (const std::string& domain : domains) {
    if (host == domain) return {};
    if (domain.size() < longest || host.size() < domain.size() + 2) continue;
    if (!host.ends_with(domain) || host[host.size() - domain.size() - 1] != '.') continue;
    longest = domain.size();
    labels = host.substr(0, host.size() - domain.size() - 1);
  }
  return labels;
}

void set_key(Target& target, std::string_view key) {
  target.level = key.empty() ? Level::bucket : Level::key;
  target.key = key;
}

}  // namespace

std::expected<Target, S3Error> parse_target(std::string_view host, std::string_view raw_path,
                                            const std::vector<std::string>& domains) {
  const auto path = percent_decode(raw_path);
  if (!path) return std::unexpected(S3Error{.code = S3ErrorCode::invalid_uri});
  std::string_view rest = *path;
  if (rest.starts_with('/')) rest.remove_prefix(1);
  Target target;
  const std::string name = host_name(host);
  if (const auto labels = labels_before_domain(name, domains); !labels.empty()) {
    if (labels.find('.') != std::string_view::npos) {
      return std::unexpected(S3Error{.code = S3ErrorCode::invalid_bucket_name,
                                     .details = {{"BucketName", std::string(labels)}}});
    }
    target.virtual_host = true;
    target.bucket = labels;
    set_key(target, rest);
    return target;
  }
  if (rest.empty()) return target;
  const auto slash = rest.find('/');
  target.bucket = rest.substr(0, slash);
  set_key(target, slash == std::string_view::npos ? "" : rest.substr(slash + 1));
  return target;
}

ObjectKey split_key(std::string_view key) {
  const auto slash = key.find('/');
  if (slash == std::string_view::npos) {
    return {.ref = std::string(key), .has_path = false, .path = {}};
  }
  return {.ref = std::string(key.substr(0, slash)),
          .has_path = true,
          .path = std::string(key.substr(slash + 1))};
}

std::expected<void, S3Error> check_path(std::string_view path) {
  if (path.size() > catalog::kPathBytesMax) {
    return std::unexpected(
        S3Error{.code = S3ErrorCode::key_too_long,
                .details = {{"Size", std::to_string(path.size())},
                            {"MaxSizeAllowed", std::to_string(catalog::kPathBytesMax)}}});
  }
  if (path.find('\0') != std::string_view::npos) {
    return std::unexpected(
        S3Error{.code = S3ErrorCode::invalid_argument, .message = "A key must not hold NUL."});
  }
  if (!is_valid_utf8(path)) {
    return std::unexpected(
        S3Error{.code = S3ErrorCode::invalid_uri, .message = "A key must be text in UTF-8."});
  }
  return {};
}

}  // namespace tarn::s3gw
