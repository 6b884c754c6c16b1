#include "rest/upload_request.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/error.h"
#include "base/format.h"

namespace tarn::rest {

namespace {

constexpr std::string_view kUserPrefix = "x-lakefs-meta-";
constexpr std::string_view kInternalPrefix = "x-lakefs-internal-";
constexpr std::string_view kInternalKey = "::lakefs::";

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  });
  return out;
}

[[noreturn]] void refuse_condition() {
  throw Error(ErrorCode::not_implemented, "Not Implemented");
}

}  // namespace

catalog::Condition write_condition(const Call& call) {
  const bool if_match = call.params.has("If-Match");
  if (!call.params.has("If-None-Match")) {
    if (if_match) refuse_condition();
    return {};
  }
  if (call.params.text("If-None-Match") != "*") refuse_condition();
  if (!if_match) return catalog::only_if_absent();
  return [absent = catalog::only_if_absent()](const std::optional<catalog::Entry>& visible) {
    absent(visible);
    refuse_condition();
  };
}

versioning::Metadata metadata_of(const http::Request& request) {
  versioning::Metadata metadata;
  for (const auto& [name, value] : request.headers()) {
    const std::string header = lower(name);
    std::string key;
    if (header.starts_with(kUserPrefix)) {
      key = header.substr(kUserPrefix.size());
    } else if (header.starts_with(kInternalPrefix)) {
      key = std::string(kInternalKey).append(header, kInternalPrefix.size());
    } else {
      continue;
    }
    if (!is_valid_utf8(value)) {
      throw Error(ErrorCode::invalid_argument, format("header {} is not valid UTF-8", header));
    }
    metadata.try_emplace(std::move(key), value);  // of a repeated header the first counts
  }
  return metadata;
}

}  // namespace tarn::rest
