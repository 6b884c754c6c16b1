#include "aws/sigv4_sign.h"

#include <algorithm>

#include "aws/aws_date.h"
#include "aws/canonical.h"
#include "aws/payload.h"
#include "aws/signing_key.h"
#include "aws/sigv4.h"
#include "base/bytes.h"
#include "base/format.h"

namespace tarn::aws {

namespace {

std::string sorted_names(const SignedRequest& request) {
  std::vector<std::string> names;
  for (const auto& field : request.headers)
    names.push_back(to_lower(field.first));
  std::ranges::sort(names);
  const auto repeated = std::ranges::unique(names);
  names.erase(repeated.begin(), repeated.end());
  std::string out;
  for (const std::string& name : names) {
    if (!out.empty()) out.push_back(';');
    out.append(name);
  }
  return out;
}

std::string full_scope(std::string_view amz_date, const SigningScope& scope) {
  return format("{}/{}/{}/aws4_request", amz_date.substr(0, 8), scope.region, scope.service);
}

std::string signature_of(const SignedRequest& request, const CanonicalInput& input,
                         const Credentials& credentials, std::string_view amz_date,
                         std::string_view scope) {
  const SigningKey key(credentials.secret_key, scope);
  return key.sign(string_to_sign_v4(amz_date, scope, canonical_request(request, input)));
}

}  // namespace

HeaderList sign_request(const SignedRequest& request, const Credentials& credentials,
                        const SigningScope& scope, std::string_view payload_hash, Timestamp now) {
  const std::string amz_date = to_iso_basic(now);
  const std::string scope_text = full_scope(amz_date, scope);
  HeaderList added = {{"x-amz-date", amz_date},
                      {"x-amz-content-sha256", std::string(payload_hash)}};
  if (!credentials.session_token.empty()) {
    added.emplace_back("x-amz-security-token", credentials.session_token);
  }
  SignedRequest whole = request;
  for (const auto& [name, value] : added)
    whole.headers.emplace_back(name, value);
  const std::string names = sorted_names(whole);
  const std::string signature =
      signature_of(whole, {.signed_headers = names, .payload_hash = payload_hash}, credentials,
                   amz_date, scope_text);
  added.emplace_back("authorization",
                     format("AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={}, Signature={}",
                            credentials.access_key, scope_text, names, signature));
  return added;
}

std::string presign_query(const SignedRequest& request, const Credentials& credentials,
                          const SigningScope& scope, std::uint32_t expires_s, Timestamp now) {
  const std::string amz_date = to_iso_basic(now);
  const std::string scope_text = full_scope(amz_date, scope);
  const std::string names = sorted_names(request);
  std::string query(request.raw_query);
  if (!query.empty()) query.push_back('&');
  append_format(query,
                "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={}&X-Amz-Date={}"
                "&X-Amz-Expires={}&X-Amz-SignedHeaders={}",
                percent_encode(credentials.access_key + "/" + scope_text), amz_date, expires_s,
                percent_encode(names));
  if (!credentials.session_token.empty()) {
    query += "&X-Amz-Security-Token=" + percent_encode(credentials.session_token);
  }
  SignedRequest whole = request;
  whole.raw_query = query;
  const std::string signature = signature_of(
      whole, {.signed_headers = names, .payload_hash = kUnsignedPayload, .presigned = true},
      credentials, amz_date, scope_text);
  return query + "&X-Amz-Signature=" + signature;
}

}  // namespace tarn::aws
