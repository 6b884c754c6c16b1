// Canonical form of a request for Signature Version 4 (B2.2): pure text work.
#pragma once

#include <string>
#include <string_view>

#include "aws/signed_request.h"

namespace tarn::aws {

/// S3's rule: percent-decode once, encode once, no dot segments removed, no slashes merged.
std::string canonical_uri(std::string_view raw_path);

/// Sorted as (name, value) pairs; items named `without` are left out.
std::string canonical_query(std::string_view raw_query, QueryPlus plus = QueryPlus::literal,
                            std::string_view without = {});

/// Trimmed, inner runs of whitespace collapsed to one space.
void append_canonical_value(std::string& out, std::string_view value);

struct CanonicalInput {
  std::string_view signed_headers;  // "host;x-amz-date", as sent
  std::string_view payload_hash;
  QueryPlus plus = QueryPlus::literal;
  bool presigned = false;  // leaves X-Amz-Signature out of the query
};

std::string canonical_request(const SignedRequest& request, const CanonicalInput& input);

}  // namespace tarn::aws
