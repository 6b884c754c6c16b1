#include "aws/sigv4.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "aws/aws_date.h"
#include "aws/canonical.h"
#include "aws/payload.h"
#include "base/bytes.h"
#include "base/format.h"
#include "base/hash.h"

namespace tarn::aws {

namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr std::int64_t kExpiresSecondsMax = 604'800;
// Unauthenticated answers repeat the canonical request; its byte dump triples it.
constexpr std::size_t kByteDumpMax = 4'096;

std::unexpected<S3Error> malformed(bool presigned, std::string_view what) {
  if (presigned) {
    return std::unexpected(S3Error{.code = S3ErrorCode::authorization_query_parameters_error,
                                   .message = std::string(what)});
  }
  return std::unexpected(
      S3Error{.code = S3ErrorCode::authorization_header_malformed,
              .message = format("The authorization header is malformed; {}", what)});
}

std::unexpected<S3Error> denied(std::string message) {
  return std::unexpected(
      S3Error{.code = S3ErrorCode::access_denied, .message = std::move(message)});
}

bool is_token_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool is_hex_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

template <class Visit>
bool all_names(std::string_view names, Visit&& visit) {
  while (true) {
    const std::size_t end = names.find(';');
    if (!visit(names.substr(0, end))) return false;
    if (end == std::string_view::npos) return true;
    names.remove_prefix(end + 1);
  }
}

bool is_listed(std::string_view names, std::string_view wanted) {
  return !all_names(names,
                    [&](std::string_view name) { return !equal_ignoring_case(name, wanted); });
}

/// Distinct because each is greater than the one before: how every signer writes them.
bool is_sorted_list(std::string_view names) {
  std::string_view last;
  return all_names(names, [&](std::string_view name) {
    const bool rises = name > last && std::ranges::all_of(name, is_token_char);
    last = name;
    return rises;
  });
}

bool is_signed_headers(std::string_view names) {
  if (names.size() <= 8'192 && is_sorted_list(names)) return true;
  std::vector<std::string_view> seen;
  return names.size() <= 8'192 &&
         all_names(names,
                   [&](std::string_view name) {
                     seen.push_back(name);
                     return !name.empty() && std::ranges::all_of(name, is_token_char);
                   }) &&
         (std::ranges::sort(seen), std::ranges::adjacent_find(seen) == seen.end());
}

/// Fills access_key, credential, scope, region from "AK/date/region/service/aws4_request".
std::expected<void, S3Error> read_credential(SigV4& auth, std::string_view text,
                                             const SigV4Policy& policy) {
  constexpr std::string_view kForm =
      "the Credential must be \"<access key>/YYYYMMDD/REGION/SERVICE/aws4_request\".";
  std::array<std::string_view, 4> parts;  // from the right: an access key may contain '/'
  std::string_view rest = text;
  for (std::string_view& part : parts) {
    const std::size_t slash = rest.rfind('/');
    if (slash == std::string_view::npos) return malformed(auth.presigned, kForm);
    part = rest.substr(slash + 1);
    rest = rest.substr(0, slash);
  }
  const auto [terminator, service, region, date] = parts;
  const bool date_ok =
      date.size() == 8 && std::ranges::all_of(date, [](char c) { return c >= '0' && c <= '9'; });
  if (rest.empty() || terminator != "aws4_request" || region.empty() || !date_ok) {
    return malformed(auth.presigned, kForm);
  }
  if (service != "s3") {
    return malformed(auth.presigned, "incorrect service in the Credential; expecting \"s3\".");
  }
  if (!policy.strict_region.empty() && region != policy.strict_region) {
    auto error = malformed(auth.presigned, format("the region '{}' is wrong; expecting '{}'",
                                                  region, policy.strict_region));
    error.error().details = {{"Region", policy.strict_region}};
    return error;
  }
  auth.access_key = rest;
  auth.credential = text;
  auth.scope = text.substr(rest.size() + 1);
  auth.region = region;
  return {};
}

std::expected<void, S3Error> read_signature(SigV4& auth, std::string_view signed_headers,
                                            std::string_view signature) {
  if (!is_signed_headers(signed_headers)) {
    return malformed(auth.presigned, "SignedHeaders must be distinct lower-case header names.");
  }
  if (signature.size() != 64 || !std::ranges::all_of(signature, is_hex_digit)) {
    return malformed(auth.presigned, "the Signature must be 64 hexadecimal characters.");
  }
  auth.signed_headers = signed_headers;
  auth.signature = to_lower(signature);
  return {};
}

std::expected<void, S3Error> read_header_date(SigV4& auth, const SignedRequest& request) {
  constexpr std::string_view kRequired =
      "AWS authentication requires a valid Date or x-amz-date header";
  std::optional<Timestamp> time;
  if (const auto amz_date = find_header(request, "x-amz-date")) {
    if (count_headers(request, "x-amz-date") == 1) time = parse_iso_basic(*amz_date);
    // What was read has one spelling, but for a leap second.
    if (time && !amz_date->ends_with("60Z")) {
      auth.time = *time;
      auth.amz_date = *amz_date;
      return {};
    }
  } else if (const auto date = find_header(request, "date")) {
    time = parse_aws_date(*date);
  }
  if (!time) return denied(std::string(kRequired));
  auth.time = *time;
  auth.amz_date = to_iso_basic(*time);
  return {};
}

std::expected<void, S3Error> check_scope_date(const SigV4& auth) {
  if (auth.scope.starts_with(std::string_view(auth.amz_date).substr(0, 8))) return {};
  return malformed(auth.presigned, format("invalid credential date; it must be the day of the "
                                          "request, \"{}\".",
                                          std::string_view(auth.amz_date).substr(0, 8)));
}

struct HeaderParts {
  std::optional<std::string_view> credential, signed_headers, signature;
};

/// "Credential=..., SignedHeaders=..., Signature=..." in any order and spacing.
std::optional<HeaderParts> split_authorization(std::string_view text) {
  HeaderParts parts;
  if (text.empty() || (text.front() != ' ' && text.front() != '\t')) return std::nullopt;
  while (true) {
    const std::size_t comma = text.find(',');
    const std::string_view item = trim(text.substr(0, comma));
    const std::size_t equals = item.find('=');
    const std::string_view name = item.substr(0, equals);
    auto* const slot = name == "Credential"      ? &parts.credential
                       : name == "SignedHeaders" ? &parts.signed_headers
                       : name == "Signature"     ? &parts.signature
                                                 : nullptr;
    if (slot == nullptr || equals == std::string_view::npos || *slot) return std::nullopt;
    *slot = item.substr(equals + 1);
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
  }
  if (!parts.credential || !parts.signed_headers || !parts.signature) return std::nullopt;
  return parts;
}

/// Reading requests without a payload hash is tolerated: they have no body to protect.
std::expected<void, S3Error> read_header_payload(SigV4& auth, const SignedRequest& request) {
  if (const auto hash = find_header(request, "x-amz-content-sha256")) {
    auth.payload_hash = *hash;
    return {};
  }
  if (request.method != "GET" && request.method != "HEAD" && request.method != "DELETE") {
    return std::unexpected(
        S3Error{.code = S3ErrorCode::invalid_request,
                .message = "Missing required header for this request: x-amz-content-sha256"});
  }
  auth.payload_hash = kUnsignedPayload;
  return {};
}

using Parsed = std::expected<void, S3Error>;

Parsed parse_header_form(SigV4& auth, const SignedRequest& request, const SigV4Policy& policy) {
  const std::string_view value = find_header(request, "authorization").value_or("");
  const auto parts = split_authorization(value.substr(std::min(value.size(), kAlgorithm.size())));
  if (!parts) {
    return malformed(false, "it must hold Credential, SignedHeaders and Signature, once each.");
  }
  if (auto read = read_credential(auth, *parts->credential, policy); !read) return read;
  if (auto read = read_signature(auth, *parts->signed_headers, *parts->signature); !read) {
    return read;
  }
  if (auto read = read_header_date(auth, request); !read) return read;
  if (auto read = read_header_payload(auth, request); !read) return read;
  auth.session_token = find_header(request, "x-amz-security-token").value_or("");
  return check_scope_date(auth);
}

/// Decimal digits only: a sign, a space or an empty text is no lifetime.
std::optional<std::int64_t> parse_lifetime(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.front() == '-') {
    return std::nullopt;
  }
  return value <= kExpiresSecondsMax ? std::optional(value) : std::nullopt;
}

std::string presigned_payload(const SignedRequest& request, const std::vector<QueryItem>& items) {
  // The header wins even unsigned: the signature then decides whether it was meant.
  if (const auto header = find_header(request, "x-amz-content-sha256")) return std::string(*header);
  for (const QueryItem& item : items) {
    if (equal_ignoring_case(item.name, "x-amz-content-sha256")) return item.value;
  }
  return std::string(kUnsignedPayload);
}

Parsed parse_query_form(SigV4& auth, const SignedRequest& request, const SigV4Policy& policy) {
  const auto items = split_query(request.raw_query);
  const auto get = [&](std::string_view name) {
    const bool once = std::ranges::count(items, name, &QueryItem::name) == 1;
    return once ? find_item(items, name) : nullptr;
  };
  const QueryItem* const algorithm = get("X-Amz-Algorithm");
  if (algorithm != nullptr && algorithm->value == "AWS4-ECDSA-P256-SHA256") {
    return std::unexpected(S3Error{.code = S3ErrorCode::invalid_request,
                                   .message = "AWS4-ECDSA-P256-SHA256 is not supported."});
  }
  if (algorithm != nullptr && algorithm->value != kAlgorithm) {
    return malformed(true, "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\".");
  }
  const QueryItem* const credential = get("X-Amz-Credential");
  const QueryItem* const date = get("X-Amz-Date");
  const QueryItem* const expires = get("X-Amz-Expires");
  const QueryItem* const signed_headers = get("X-Amz-SignedHeaders");
  const QueryItem* const signature = get("X-Amz-Signature");
  if (!algorithm || !credential || !date || !expires || !signed_headers || !signature) {
    return std::unexpected(S3Error{.code = S3ErrorCode::authorization_query_parameters_error});
  }
  if (auto read = read_credential(auth, credential->value, policy); !read) return read;
  if (auto read = read_signature(auth, signed_headers->value, signature->value); !read) return read;
  const auto time = parse_iso_basic(date->value);
  if (!time) return malformed(true, "X-Amz-Date must be in the ISO8601 format yyyyMMddTHHmmssZ.");
  const auto lifetime = parse_lifetime(expires->value);
  if (!lifetime) {
    return malformed(true, "X-Amz-Expires must be a number of seconds between 0 and 604800.");
  }
  auth.time = *time;
  auth.amz_date = date->value;
  auth.expires_s = *lifetime;
  auth.payload_hash = presigned_payload(request, items);
  if (const QueryItem* token = find_item(items, "X-Amz-Security-Token")) {
    auth.session_token = token->value;
  } else {
    auth.session_token = find_header(request, "x-amz-security-token").value_or("");
  }
  return check_scope_date(auth);
}

/// Whoever holds a signed request must not be able to add meaning to it (A18.2).
Parsed check_signed_headers(const SignedRequest& request, const SigV4& auth,
                            const SigV4Policy& policy) {
  std::string missing;
  const auto require = [&](std::string_view name) {
    if (is_listed(auth.signed_headers, name)) return;
    if (!missing.empty()) missing.append(", ");
    missing.append(to_lower(name));
  };
  require("host");
  for (const auto& field : request.headers) {
    const std::string_view name = field.first;
    if (!starts_with_ignoring_case(name, "x-amz-")) continue;
    // The string to sign binds these two itself.
    if (equal_ignoring_case(name, "x-amz-date") ||
        equal_ignoring_case(name, "x-amz-content-sha256") ||
        std::ranges::any_of(policy.unsigned_headers_allowed, [&](const std::string& allowed) {
          return equal_ignoring_case(name, allowed);
        })) {
      continue;
    }
    require(name);
  }
  if (missing.empty()) return {};
  return std::unexpected(
      S3Error{.code = S3ErrorCode::access_denied,
              .message = "There were headers present in the request which were not signed",
              .details = {{"HeadersNotSigned", std::move(missing)}}});
}

Parsed check_skew(const SigV4& auth, Timestamp now) {
  const std::int64_t skew = now.seconds - auth.time.seconds;
  if (skew >= -kSkewSecondsMax && skew <= kSkewSecondsMax) return {};
  return std::unexpected(S3Error{
      .code = S3ErrorCode::request_time_too_skewed,
      .details = {{"RequestTime", auth.amz_date},
                  {"ServerTime", to_s3_time(now)},
                  {"MaxAllowedSkewMilliseconds", std::to_string(kSkewSecondsMax * 1'000)}}});
}

/// The skew bounds the early side only: a URL lives as long as it says (A18.1).
Parsed check_lifetime(const SigV4& auth, Timestamp now) {
  if (now.seconds < auth.time.seconds - kSkewSecondsMax) {
    return std::unexpected(S3Error{.code = S3ErrorCode::access_denied,
                                   .message = "Request is not valid yet",
                                   .details = {{"ServerTime", to_s3_time(now)}}});
  }
  const std::int64_t end = auth.time.seconds + auth.expires_s;
  if (now.seconds <= end && auth.expires_s > 0) return {};
  return std::unexpected(S3Error{.code = S3ErrorCode::access_denied,
                                 .message = "Request has expired",
                                 .details = {{"X-Amz-Expires", std::to_string(auth.expires_s)},
                                             {"Expires", to_s3_time({.seconds = end, .nanos = 0})},
                                             {"ServerTime", to_s3_time(now)}}});
}

void append_byte_dump(S3Error& error, std::string name, std::string_view text) {
  if (text.size() > kByteDumpMax) return;
  std::string dump;
  dump.reserve(text.size() * 3);
  for (const char c : text) {
    if (!dump.empty()) dump.push_back(' ');
    append_format(dump, "{:02x}", static_cast<unsigned char>(c));
  }
  error.details.emplace_back(std::move(name), std::move(dump));
}

S3Error mismatch(const SigV4& auth, std::string to_sign, std::string canonical) {
  S3Error error{.code = S3ErrorCode::signature_does_not_match,
                .details = {{"AWSAccessKeyId", auth.access_key},
                            {"StringToSign", to_sign},
                            {"SignatureProvided", auth.signature}}};
  append_byte_dump(error, "StringToSignBytes", to_sign);
  error.details.emplace_back("CanonicalRequest", canonical);
  append_byte_dump(error, "CanonicalRequestBytes", canonical);
  return error;
}

}  // namespace

std::expected<SigV4, S3Error> parse_sigv4(const SignedRequest& request, Scheme scheme,
                                          const SigV4Policy& policy) {
  TARN_ASSERT(scheme == Scheme::v4_header || scheme == Scheme::v4_query);
  std::expected<SigV4, S3Error> auth;
  auth->presigned = scheme == Scheme::v4_query;
  auto read = auth->presigned ? parse_query_form(*auth, request, policy)
                              : parse_header_form(*auth, request, policy);
  if (!read) return std::unexpected(std::move(read.error()));
  return auth;
}

std::expected<SigV4Verdict, S3Error> verify_sigv4(const SignedRequest& request, const SigV4& auth,
                                                  std::string_view secret, Timestamp now,
                                                  SigningKeyCache& keys,
                                                  const SigV4Policy& policy) {
  if (auto ok = check_signed_headers(request, auth, policy); !ok) {
    return std::unexpected(std::move(ok.error()));
  }
  if (auto ok = auth.presigned ? check_lifetime(auth, now) : check_skew(auth, now); !ok) {
    return std::unexpected(std::move(ok.error()));
  }
  auto key = keys.find(auth.credential, secret);
  const bool derived = key == nullptr;
  if (derived) key = std::make_shared<const SigningKey>(secret, auth.scope);

  CanonicalInput input{.signed_headers = auth.signed_headers,
                       .payload_hash = auth.payload_hash,
                       .presigned = auth.presigned};
  std::string canonical = canonical_request(request, input);
  std::string to_sign = string_to_sign_v4(auth.amz_date, auth.scope, canonical);
  bool matches = equal_constant_time(key->sign(to_sign), auth.signature);
  if (!matches && request.raw_query.find('+') != std::string_view::npos) {
    input.plus = QueryPlus::space;
    const std::string other = canonical_request(request, input);
    matches = equal_constant_time(key->sign(string_to_sign_v4(auth.amz_date, auth.scope, other)),
                                  auth.signature);
  }
  if (!matches) {
    return std::unexpected(mismatch(auth, std::move(to_sign), std::move(canonical)));
  }
  if (derived) keys.keep(auth.credential, key);
  return SigV4Verdict{.chunks = {.key = std::move(key),
                                 .amz_date = auth.amz_date,
                                 .scope = auth.scope,
                                 .seed = auth.signature},
                      .plus = input.plus};
}

std::string string_to_sign_v4(std::string_view amz_date, std::string_view scope,
                              std::string_view canonical_request) {
  std::string out;
  out.reserve(kAlgorithm.size() + amz_date.size() + scope.size() + 67);
  out.append(kAlgorithm).append(1, '\n').append(amz_date).append(1, '\n');
  out.append(scope).append(1, '\n').append(to_hex(sha256(canonical_request)));
  return out;
}

S3Error unknown_access_key(std::string_view access_key) {
  return {.code = S3ErrorCode::invalid_access_key_id,
          .details = {{"AWSAccessKeyId", std::string(access_key)}}};
}

}  // namespace tarn::aws
