// Where a bucket and a key are on the network. Pure.
#pragma once

#include <string>
#include <string_view>

#include "http/client.h"

namespace tarn::block::s3 {

struct Place {
  http::Endpoint endpoint;
  std::string path;  // percent-encoded, starts with '/'
};

struct PlaceRules {
  std::string endpoint;  // URL; empty = AWS in the bucket's region
  bool force_path_style = false;
};

/// An empty key means the bucket. Throws Error{invalid_argument} for an endpoint that is no URL and
/// for a bucket that cannot be part of one.
Place place_of(const PlaceRules& rules, std::string_view region, std::string_view bucket,
               std::string_view key);

/// Letters, digits, '.', '-' and '_', 3 to 255 of them: old buckets included.
bool is_bucket_name(std::string_view name);

}  // namespace tarn::block::s3
