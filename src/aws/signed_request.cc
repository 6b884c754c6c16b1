#include "aws/signed_request.h"

#include <algorithm>

#include "base/bytes.h"

namespace tarn::aws {

namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

std::string decode_query_text(std::string_view text, QueryPlus plus) {
  std::string out = percent_decode(text).value_or(std::string(text));
  if (plus == QueryPlus::literal || text.find('+') == std::string_view::npos) return out;
  // A '+' written as %2B stays: replace in the raw text, then decode.
  std::string raw(text);
  std::ranges::replace(raw, '+', ' ');
  return percent_decode(raw).value_or(raw);
}

/// Calls `visit(raw item)` for each non-empty item until it returns false.
template <class Visit>
void for_each_item(std::string_view raw_query, Visit&& visit) {
  while (!raw_query.empty()) {
    const std::size_t end = raw_query.find('&');
    const std::string_view item = raw_query.substr(0, end);
    raw_query.remove_prefix(end == std::string_view::npos ? raw_query.size() : end + 1);
    if (!item.empty() && !visit(item)) return;
  }
}

struct QueryAuth {
  bool v4_algorithm = false;
  bool v4_other = false;
  bool v2_access_key = false;
  bool v2_signature = false;
  bool v2_expires = false;
};

// Only the names are decoded: this runs for every request that has a query.
QueryAuth find_query_auth(std::string_view raw_query) {
  QueryAuth found;
  for_each_item(raw_query, [&](std::string_view item) {
    std::string_view name = item.substr(0, item.find('='));
    std::string decoded;
    if (name.find('%') != std::string_view::npos) {
      decoded = decode_query_text(name, QueryPlus::literal);
      name = decoded;
    }
    if (name == "X-Amz-Algorithm") found.v4_algorithm = true;
    if (name == "X-Amz-Credential" || name == "X-Amz-Signature" || name == "X-Amz-Date" ||
        name == "X-Amz-Expires" || name == "X-Amz-SignedHeaders") {
      found.v4_other = true;
    }
    if (name == "AWSAccessKeyId") found.v2_access_key = true;
    if (name == "Signature") found.v2_signature = true;
    if (name == "Expires") found.v2_expires = true;
    return true;
  });
  return found;
}

std::expected<Scheme, S3Error> header_scheme(std::string_view value) {
  if (value.starts_with("AWS4-HMAC-SHA256")) return Scheme::v4_header;
  if (value.starts_with("AWS4-ECDSA-P256-SHA256")) {
    return std::unexpected(S3Error{.code = S3ErrorCode::invalid_request,
                                   .message = "AWS4-ECDSA-P256-SHA256 is not supported."});
  }
  if (value.starts_with("AWS ")) return Scheme::v2_header;
  return std::unexpected(S3Error{.code = S3ErrorCode::invalid_argument,
                                 .message = "Unsupported Authorization Type",
                                 .details = {{"ArgumentName", "Authorization"}}});
}

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::ranges::equal(a, b, {}, lower, lower);
}

bool starts_with_ignoring_case(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() && equal_ignoring_case(text.substr(0, prefix.size()), prefix);
}

std::string to_lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), lower);
  return out;
}

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::optional<std::string_view> find_header(const SignedRequest& request, std::string_view name) {
  for (const auto& [field, value] : request.headers) {
    if (equal_ignoring_case(field, name)) return trim(value);
  }
  return std::nullopt;
}

std::size_t count_headers(const SignedRequest& request, std::string_view name) {
  return static_cast<std::size_t>(std::ranges::count_if(
      request.headers, [&](const auto& field) { return equal_ignoring_case(field.first, name); }));
}

std::vector<QueryItem> split_query(std::string_view raw_query, QueryPlus plus) {
  std::vector<QueryItem> items;
  for_each_item(raw_query, [&](std::string_view item) {
    const std::size_t equals = item.find('=');
    QueryItem& out = items.emplace_back();
    out.name = decode_query_text(item.substr(0, equals), plus);
    if (equals != std::string_view::npos) {
      out.has_value = true;
      out.value = decode_query_text(item.substr(equals + 1), plus);
    }
    return true;
  });
  return items;
}

const QueryItem* find_item(const std::vector<QueryItem>& items, std::string_view name) {
  const auto found = std::ranges::find(items, name, &QueryItem::name);
  return found == items.end() ? nullptr : &*found;
}

std::expected<Scheme, S3Error> find_scheme(const SignedRequest& request) {
  const QueryAuth query = find_query_auth(request.raw_query);
  const bool in_query =
      query.v4_algorithm || query.v4_other || query.v2_access_key || query.v2_signature;
  const std::size_t authorizations = count_headers(request, "authorization");
  if (authorizations > 1 || (authorizations == 1 && in_query) ||
      (query.v4_algorithm && query.v2_signature)) {
    return std::unexpected(S3Error{
        .code = S3ErrorCode::invalid_argument,
        .message = "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, "
                   "Signature query string parameter or the Authorization header should be "
                   "specified."});
  }
  if (authorizations == 1) return header_scheme(*find_header(request, "authorization"));
  if (query.v4_algorithm) return Scheme::v4_query;
  if (query.v4_other) {
    return std::unexpected(S3Error{.code = S3ErrorCode::authorization_query_parameters_error});
  }
  if (query.v2_access_key && query.v2_signature && query.v2_expires) return Scheme::v2_query;
  if (query.v2_access_key || query.v2_signature) {
    return std::unexpected(
        S3Error{.code = S3ErrorCode::access_denied,
                .message = "Query-string authentication requires the Signature, Expires and "
                           "AWSAccessKeyId parameters."});
  }
  return Scheme::anonymous;
}

}  // namespace tarn::aws
