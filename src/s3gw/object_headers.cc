#include "s3gw/object_headers.h"

#include <algorithm>
#include <array>
#include <map>

#include "aws/payload.h"
#include "base/bytes.h"
#include "base/format.h"
#include "s3gw/encoded_words.h"

namespace tarn::s3gw {

namespace {

using aws::S3Error;
using aws::S3ErrorCode;

constexpr std::size_t kUserMetadataBytesMax = 2'048;
constexpr std::string_view kUserHeader = "x-amz-meta-";
constexpr std::string_view kUserKey = "X-Amz-Meta-";
constexpr std::string_view kPrivateKey = "::tarn::";
constexpr std::string_view kReservedKey = "::";

// As requests and responses name them.
constexpr std::array<std::string_view, 6> kContentHeaders = {
    "cache-control",    "content-disposition",
    "content-encoding", "content-language",
    "expires",          "x-amz-website-redirect-location"};

constexpr std::array<std::string_view, 12> kStorageClasses = {
    "STANDARD",        "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING",
    "GLACIER",         "DEEP_ARCHIVE",       "OUTPOSTS",    "GLACIER_IR", "SNOW",
    "EXPRESS_ONEZONE", "FSX_OPENZFS"};

constexpr std::array<std::string_view, 8> kUnsupported = {
    "x-amz-server-side-encryption-customer-algorithm",
    "x-amz-server-side-encryption-customer-key",
    "x-amz-copy-source-server-side-encryption-customer-algorithm",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-object-lock-mode",
    "x-amz-object-lock-retain-until-date",
    "x-amz-object-lock-legal-hold",
    "x-amz-write-offset-bytes"};

std::unexpected<S3Error> not_implemented(std::string_view header) {
  return std::unexpected(
      S3Error{.code = S3ErrorCode::not_implemented, .details = {{"Header", std::string(header)}}});
}

std::string private_key(std::string_view name) {
  return std::string(kPrivateKey).append(name);
}

bool is_token(std::string_view name) {
  constexpr std::string_view kOther = "!#$%&'*+-.^_`|~";
  return !name.empty() && std::ranges::all_of(name, [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           kOther.find(c) != std::string_view::npos;
  });
}

std::expected<std::map<std::string, std::string>, S3Error> user_metadata(
    const HeaderViews& headers) {
  std::map<std::string, std::string> user;
  for (const auto& [field, value] : headers) {
    if (!aws::starts_with_ignoring_case(field, kUserHeader)) continue;
    const std::string name = aws::to_lower(field.substr(kUserHeader.size()));
    if (name.empty()) continue;
    const auto [at, added] = user.try_emplace(name);
    if (!added) at->second += ',';
    at->second += decode_words(aws::trim(value));
  }
  std::size_t bytes = 0;
  for (const auto& [name, value] : user)
    bytes += name.size() + value.size();
  if (bytes > kUserMetadataBytesMax) {
    return std::unexpected(
        S3Error{.code = S3ErrorCode::metadata_too_large,
                .details = {{"Size", std::to_string(bytes)},
                            {"MaxSizeAllowed", std::to_string(kUserMetadataBytesMax)}}});
  }
  return user;
}

std::optional<std::string_view> find(const HeaderViews& headers, std::string_view name) {
  for (const auto& [field, value] : headers) {
    if (aws::equal_ignoring_case(field, name)) return aws::trim(value);
  }
  return std::nullopt;
}

/// All fields of a list header, in order.
std::string joined(const HeaderViews& headers, std::string_view name) {
  std::string out;
  for (const auto& [field, value] : headers) {
    if (!aws::equal_ignoring_case(field, name)) continue;
    if (!out.empty()) out += ',';
    out += value;
  }
  return out;
}

std::string form_encoded(const aws::Tags& tags) {
  std::string out;
  for (const auto& [name, value] : tags) {
    if (!out.empty()) out += '&';
    append_format(out, "{}={}", percent_encode(name), percent_encode(value));
  }
  return out;
}

}  // namespace

std::expected<void, S3Error> check_write_headers(const HeaderViews& headers) {
  for (const auto& [field, value] : headers) {
    for (const auto name : kUnsupported) {
      if (aws::equal_ignoring_case(field, name)) return not_implemented(name);
    }
    if (aws::equal_ignoring_case(field, "x-amz-server-side-encryption") &&
        aws::trim(value) != "AES256") {
      return not_implemented("x-amz-server-side-encryption");
    }
  }
  return {};
}

std::expected<versioning::Metadata, S3Error> stored_metadata(const HeaderViews& headers) {
  versioning::Metadata out;
  auto user = user_metadata(headers);
  if (!user) return std::unexpected(std::move(user.error()));
  for (auto& [name, value] : *user)
    out.emplace(std::string(kUserKey).append(name), std::move(value));
  for (const auto name : kContentHeaders) {
    std::string value = name == "content-encoding"
                            ? aws::stored_content_encoding(joined(headers, name))
                            : decode_words(find(headers, name).value_or(""));
    if (!value.empty()) out.emplace(private_key(name), std::move(value));
  }
  if (const auto wanted = find(headers, "x-amz-storage-class")) {
    if (std::ranges::find(kStorageClasses, *wanted) == kStorageClasses.end()) {
      return std::unexpected(S3Error{.code = S3ErrorCode::invalid_storage_class});
    }
    if (*wanted != kStorageClasses.front()) out.emplace(kStorageClassKey, *wanted);
  }
  if (const auto text = find(headers, "x-amz-tagging")) {
    const auto tags = aws::parse_tagging_header(*text);
    if (!tags) return std::unexpected(tags.error());
    set_tags(out, *tags);
  }
  return out;
}

HeaderFields shown_headers(const versioning::Metadata& metadata) {
  HeaderFields out;
  if (metadata.empty()) return out;
  for (const auto name : kContentHeaders) {
    const auto found = metadata.find(private_key(name));
    if (found != metadata.end()) out.emplace_back(name, encode_words(found->second));
  }
  if (const auto kept = storage_class_of(metadata); kept != kStorageClasses.front()) {
    out.emplace_back("x-amz-storage-class", kept);
  }
  if (const auto tags = tags_of(metadata); !tags.empty()) {
    out.emplace_back("x-amz-tagging-count", std::to_string(tags.size()));
  }
  std::map<std::string, std::string_view> user;
  std::size_t missing = 0;
  for (const auto& [key, value] : metadata) {
    if (key.starts_with(kReservedKey)) continue;
    const bool prefixed = aws::starts_with_ignoring_case(key, kUserKey);
    const std::string name =
        aws::to_lower(prefixed ? std::string_view(key).substr(kUserKey.size()) : key);
    if (!is_token(name)) {
      ++missing;
    } else if (prefixed) {
      user[name] = value;
    } else {
      user.try_emplace(name, value);
    }
  }
  for (const auto& [name, value] : user)
    out.emplace_back(std::string(kUserHeader).append(name), encode_words(value));
  if (missing > 0) out.emplace_back("x-amz-missing-meta", std::to_string(missing));
  return out;
}

std::string_view storage_class_of(const versioning::Metadata& metadata) {
  const auto found = metadata.find(std::string(kStorageClassKey));
  return found == metadata.end() ? kStorageClasses.front() : std::string_view(found->second);
}

aws::Tags tags_of(const versioning::Metadata& metadata) {
  const auto found = metadata.find(std::string(kTaggingKey));
  if (found == metadata.end()) return {};
  return aws::parse_tagging_header(found->second).value_or(aws::Tags{});
}

void set_tags(versioning::Metadata& metadata, const aws::Tags& tags) {
  metadata.erase(std::string(kTaggingKey));
  if (!tags.empty()) metadata.emplace(kTaggingKey, form_encoded(tags));
}

}  // namespace tarn::s3gw
