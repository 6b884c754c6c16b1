#include "aws/sigv2.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <vector>

#include "aws/aws_date.h"
#include "base/bytes.h"
#include "base/format.h"
#include "base/hash.h"

namespace tarn::aws {

namespace {

using Names = std::vector<std::string_view>;

const Names& names_of(SubresourceList list) {
  static const Names kBrief = {
      "acl",          "cors",       "delete",    "lifecycle",  "location",       "logging",
      "notification", "partNumber", "policy",    "restore",    "requestPayment", "torrent",
      "uploadId",     "uploads",    "versionId", "versioning", "versions",       "website"};
  static const Names kStandard = [] {
    Names names = kBrief;
    names.insert(
        names.end(),
        {"accelerate", "analytics", "defaultObjectAcl", "inventory", "metrics", "object-lock",
         "replication", "select", "select-type", "storageClass", "tagging",
         "response-cache-control", "response-content-disposition", "response-content-encoding",
         "response-content-language", "response-content-type", "response-expires"});
    return names;
  }();
  static const Names kExtended = [] {
    Names names = kStandard;
    names.insert(names.end(), {"encryption", "legal-hold", "retention"});
    return names;
  }();
  switch (list) {
    case SubresourceList::standard: return kStandard;
    case SubresourceList::extended: return kExtended;
    case SubresourceList::brief: return kBrief;
  }
  std::unreachable();
}

std::unexpected<S3Error> denied(std::string_view message) {
  return std::unexpected(
      S3Error{.code = S3ErrorCode::access_denied, .message = std::string(message)});
}

std::expected<void, S3Error> parse_header_form(SigV2& auth, const SignedRequest& request) {
  std::string_view value = find_header(request, "authorization").value_or("");
  value.remove_prefix(std::min<std::size_t>(value.size(), 4));  // "AWS "
  value = trim(value);
  const std::size_t colon = value.rfind(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == value.size() ||
      value.find(' ') != std::string_view::npos) {
    return std::unexpected(
        S3Error{.code = S3ErrorCode::invalid_argument,
                .message = "The Authorization header must be \"AWS <access key>:<signature>\".",
                .details = {{"ArgumentName", "Authorization"}}});
  }
  auth.access_key = value.substr(0, colon);
  auth.signature = value.substr(colon + 1);
  auth.session_token = find_header(request, "x-amz-security-token").value_or("");
  auto date = find_header(request, "x-amz-date");
  if (!date) date = find_header(request, "date");
  const auto time = date ? parse_aws_date(*date) : std::nullopt;
  if (!time) return denied("AWS authentication requires a valid Date or x-amz-date header");
  auth.time = *time;
  return {};
}

std::expected<void, S3Error> parse_query_form(SigV2& auth, const SignedRequest& request) {
  const auto items = split_query(request.raw_query);
  const auto get = [&](std::string_view name) {
    const bool once = std::ranges::count(items, name, &QueryItem::name) == 1;
    return once ? find_item(items, name)->value : std::string();
  };
  auth.access_key = get("AWSAccessKeyId");
  auth.signature = get("Signature");
  auth.expires = get("Expires");
  // Base64 has no space: one that arrives was a plus that a form encoder did not escape.
  std::ranges::replace(auth.signature, ' ', '+');
  if (auth.access_key.empty() || auth.signature.empty()) {
    return denied(
        "Query-string authentication requires the Signature, Expires and AWSAccessKeyId "
        "parameters.");
  }
  const char* const end = auth.expires.data() + auth.expires.size();
  const auto [stop, error] = std::from_chars(auth.expires.data(), end, auth.expires_at_s);
  if (error != std::errc() || stop != end || auth.expires_at_s < 0) {
    return denied("Invalid date (should be seconds since epoch)");
  }
  auth.session_token = find_header(request, "x-amz-security-token").value_or("");
  for (const QueryItem& item : items) {
    if (auth.session_token.empty() && equal_ignoring_case(item.name, "x-amz-security-token")) {
      auth.session_token = item.value;
    }
  }
  return {};
}

std::string header_or_item(const SignedRequest& request, const std::vector<QueryItem>& items,
                           std::string_view name) {
  if (const auto header = find_header(request, name)) return std::string(*header);
  for (const QueryItem& item : items) {
    if (equal_ignoring_case(item.name, name)) return item.value;
  }
  return {};
}

void append_amz_headers(std::string& out, const SignedRequest& request,
                        const std::vector<QueryItem>& hoisted) {
  std::map<std::string, std::string> fields;
  const auto add = [&](std::string_view name, std::string_view value) {
    const auto [field, is_new] = fields.try_emplace(to_lower(name));
    if (!is_new) field->second.push_back(',');
    field->second.append(trim(value));
  };
  for (const auto& [name, value] : request.headers) {
    if (starts_with_ignoring_case(name, "x-amz-")) add(name, value);
  }
  for (const QueryItem& item : hoisted) {
    if (starts_with_ignoring_case(item.name, "x-amz-") && !find_header(request, item.name)) {
      add(item.name, item.value);
    }
  }
  for (const auto& [name, value] : fields)
    out.append(name).append(1, ':').append(value).append(1, '\n');
}

void append_subresources(std::string& out, const std::vector<QueryItem>& items,
                         const Names& names) {
  std::vector<const QueryItem*> chosen;
  for (const QueryItem& item : items) {
    if (std::ranges::find(names, item.name) != names.end()) chosen.push_back(&item);
  }
  std::ranges::sort(chosen, [](const QueryItem* a, const QueryItem* b) {
    return a->name != b->name ? a->name < b->name : a < b;  // repeated names keep their order
  });
  char separator = '?';
  for (const QueryItem* item : chosen) {
    out.append(1, std::exchange(separator, '&')).append(item->name);
    if (item->has_value) out.append(1, '=').append(item->value);
  }
}

std::expected<void, S3Error> check_clock(const SigV2& auth, Timestamp now) {
  if (auth.presigned) {
    if (now.seconds <= auth.expires_at_s) return {};
    return std::unexpected(
        S3Error{.code = S3ErrorCode::access_denied,
                .message = "Request has expired",
                .details = {{"Expires", auth.expires}, {"ServerTime", to_s3_time(now)}}});
  }
  const std::int64_t skew = now.seconds - auth.time.seconds;
  if (skew >= -kSkewSecondsMax && skew <= kSkewSecondsMax) return {};
  return std::unexpected(S3Error{
      .code = S3ErrorCode::request_time_too_skewed,
      .details = {{"RequestTime", to_s3_time(auth.time)},
                  {"ServerTime", to_s3_time(now)},
                  {"MaxAllowedSkewMilliseconds", std::to_string(kSkewSecondsMax * 1'000)}}});
}

/// The fourth line in each reading that clients are known to sign.
std::vector<std::string_view> date_lines(const SignedRequest& request, const SigV2& auth) {
  if (auth.presigned) return {auth.expires};
  const auto date = find_header(request, "date");
  if (!find_header(request, "x-amz-date")) return {date.value_or("")};
  if (date) return {"", *date};
  return {""};
}

}  // namespace

std::expected<SigV2, S3Error> parse_sigv2(const SignedRequest& request, Scheme scheme) {
  TARN_ASSERT(scheme == Scheme::v2_header || scheme == Scheme::v2_query);
  std::expected<SigV2, S3Error> auth;
  auth->presigned = scheme == Scheme::v2_query;
  auto read =
      auth->presigned ? parse_query_form(*auth, request) : parse_header_form(*auth, request);
  if (!read) return std::unexpected(std::move(read.error()));
  return auth;
}

std::string string_to_sign_v2(const SignedRequest& request, const SigV2Input& input) {
  const std::vector<QueryItem> items = split_query(request.raw_query);
  const std::vector<QueryItem> hoisted = input.presigned ? items : std::vector<QueryItem>();
  std::string out;
  out.append(request.method).append(1, '\n');
  out.append(header_or_item(request, hoisted, "content-md5")).append(1, '\n');
  out.append(header_or_item(request, hoisted, "content-type")).append(1, '\n');
  out.append(input.date).append(1, '\n');
  append_amz_headers(out, request, hoisted);
  if (!input.virtual_bucket.empty()) out.append(1, '/').append(input.virtual_bucket);
  out.append(request.raw_path.empty() ? std::string_view("/") : request.raw_path);
  append_subresources(out, items, names_of(input.subresources));
  return out;
}

std::expected<void, S3Error> verify_sigv2(const SignedRequest& request, const SigV2& auth,
                                          std::string_view secret, std::string_view virtual_bucket,
                                          Timestamp now) {
  if (auto ok = check_clock(auth, now); !ok) return ok;
  std::vector<SubresourceList> lists = {SubresourceList::standard, SubresourceList::extended};
  // The brief list leaves sub-resources unsigned, which the holder of a URL could then add.
  if (!auth.presigned) lists.push_back(SubresourceList::brief);
  std::vector<std::string> tried;
  for (const std::string_view date : date_lines(request, auth)) {
    for (const SubresourceList list : lists) {
      std::string to_sign = string_to_sign_v2(request, {.virtual_bucket = virtual_bucket,
                                                        .date = date,
                                                        .subresources = list,
                                                        .presigned = auth.presigned});
      if (std::ranges::find(tried, to_sign) != tried.end()) continue;
      if (equal_constant_time(to_base64(hmac_sha1(secret, to_sign)), auth.signature)) return {};
      tried.push_back(std::move(to_sign));
    }
  }
  return std::unexpected(S3Error{.code = S3ErrorCode::signature_does_not_match,
                                 .details = {{"AWSAccessKeyId", auth.access_key},
                                             {"StringToSign", tried.front()},
                                             {"SignatureProvided", auth.signature}}});
}

}  // namespace tarn::aws
