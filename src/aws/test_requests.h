// Requests that own their bytes, and the two credentials of the published vectors.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "aws/aws_date.h"
#include "aws/signed_request.h"
#include "aws/sigv4_sign.h"

namespace tarn::aws::testing {

inline const Credentials kAwsExample = {.access_key = "AKIAIOSFODNN7EXAMPLE",
                                        .secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"};
inline const Credentials kTarnExample = {.access_key = "TARNEXAMPLEKEY000001",
                                         .secret_key = "tarn/example+secret/key/0123456789ABCDEF"};

inline const Timestamp kAwsTime = *parse_iso_basic("20130524T000000Z");
inline const Timestamp kTarnTime = *parse_iso_basic("20260115T120000Z");

struct OwnedRequest {
  std::string method = "GET";
  std::string path = "/";
  std::string query = {};
  HeaderList headers = {};

  SignedRequest view() const {
    SignedRequest out{.method = method, .raw_path = path, .raw_query = query, .headers = {}};
    for (const auto& [name, value] : headers)
      out.headers.emplace_back(name, value);
    return out;
  }

  OwnedRequest& set(std::string_view name, std::string_view value) {
    for (auto& [field, old] : headers) {
      if (equal_ignoring_case(field, name)) {
        old = value;
        return *this;
      }
    }
    headers.emplace_back(name, value);
    return *this;
  }

  OwnedRequest& drop(std::string_view name) {
    std::erase_if(headers,
                  [&](const auto& field) { return equal_ignoring_case(field.first, name); });
    return *this;
  }

  std::string header(std::string_view name) const {
    return std::string(find_header(view(), name).value_or(""));
  }
};

/// Adds what sign_request() computes.
inline OwnedRequest sign(OwnedRequest request, const Credentials& credentials,
                         std::string_view payload_hash, Timestamp now) {
  for (auto& field :
       sign_request(request.view(), credentials, {.region = "us-east-1"}, payload_hash, now)) {
    request.headers.push_back(std::move(field));
  }
  return request;
}

}  // namespace tarn::aws::testing
