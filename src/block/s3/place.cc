#include "block/s3/place.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/error.h"
#include "base/format.h"

namespace tarn::block::s3 {

namespace {

bool is_dns_label(std::string_view bucket) {
  return std::ranges::all_of(
      bucket, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
}

bool is_address(std::string_view host) {
  return host.find(':') != std::string_view::npos ||
         std::ranges::all_of(host, [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
}

http::Endpoint aws_endpoint(std::string_view region) {
  const std::string_view suffix = region.starts_with("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
  return {.scheme = http::Endpoint::Scheme::https,
          .host = format("s3.{}.{}", region, suffix),
          .port = 443};
}

}  // namespace

bool is_bucket_name(std::string_view name) {
  return name.size() >= 3 && name.size() <= 255 && std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '.' || c == '-' || c == '_';
         });
}

Place place_of(const PlaceRules& rules, std::string_view region, std::string_view bucket,
               std::string_view key) {
  if (!is_bucket_name(bucket)) {
    throw Error(ErrorCode::invalid_argument, "invalid address: bad bucket name");
  }
  Place place;
  std::string base;
  if (rules.endpoint.empty()) {
    place.endpoint = aws_endpoint(region);
  } else {
    auto url = http::parse_url(rules.endpoint);
    if (!url) throw Error(ErrorCode::invalid_argument, "the S3 endpoint is no URL");
    place.endpoint = std::move(url->endpoint);
    base = url->target.substr(0, url->target.find('?'));
    if (base.ends_with('/')) base.pop_back();
  }
  // A bucket with dots would not match the certificate's wildcard.
  const bool as_host =
      !rules.force_path_style && is_dns_label(bucket) && !is_address(place.endpoint.host);
  if (as_host) {
    place.endpoint.host = format("{}.{}", bucket, place.endpoint.host);
    place.path = format("{}/{}", base, percent_encode(key, "/"));
  } else {
    place.path = format("{}/{}", base, bucket);
    if (!key.empty()) place.path += "/" + percent_encode(key, "/");
  }
  return place;
}

}  // namespace tarn::block::s3
