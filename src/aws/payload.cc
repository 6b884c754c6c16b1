#include "aws/payload.h"

#include <algorithm>
#include <charconv>

#include "base/bytes.h"

namespace tarn::aws {

namespace {

constexpr std::size_t kTrailersMax = 8;

std::unexpected<S3Error> refuse(S3ErrorCode code, std::string_view message = {}) {
  return std::unexpected(S3Error{.code = code, .message = std::string(message)});
}

std::optional<PayloadMode> find_mode(std::string_view word) {
  if (word == kUnsignedPayload) return PayloadMode::unsigned_payload;
  if (word == kStreamingSigned) return PayloadMode::streaming_signed;
  if (word == kStreamingSignedTrailer) return PayloadMode::streaming_signed_trailer;
  if (word == kStreamingUnsignedTrailer) return PayloadMode::streaming_unsigned_trailer;
  if (word.size() == 64 && from_hex(word)) return PayloadMode::hashed;
  return std::nullopt;
}

std::optional<std::uint64_t> parse_length(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

bool is_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

/// Names of every x-amz-trailer field, lower-case; nullopt when one is no name.
std::optional<std::vector<std::string>> trailer_names(const SignedRequest& request) {
  std::vector<std::string> names;
  for (const auto& [field, value] : request.headers) {
    if (!equal_ignoring_case(field, "x-amz-trailer")) continue;
    std::string_view rest = value;
    while (!trim(rest).empty()) {
      const std::size_t comma = rest.find(',');
      std::string name = to_lower(trim(rest.substr(0, comma)));
      if (!is_name(name) || names.size() == kTrailersMax ||
          std::ranges::find(names, name) != names.end()) {
        return std::nullopt;
      }
      names.push_back(std::move(name));
      rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
    }
  }
  return names;
}

}  // namespace

std::expected<Payload, S3Error> parse_payload(const SignedRequest& request,
                                              std::string_view payload_hash) {
  const bool has_seed = !payload_hash.empty();
  if (!has_seed) {
    payload_hash = find_header(request, "x-amz-content-sha256").value_or(kUnsignedPayload);
  }
  const auto mode = find_mode(payload_hash);
  const bool needs_seed =
      mode == PayloadMode::streaming_signed || mode == PayloadMode::streaming_signed_trailer;
  if (!mode || (needs_seed && !has_seed)) {
    return std::unexpected(S3Error{
        .code = S3ErrorCode::invalid_argument,
        .message = "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, a STREAMING word that fits the "
                   "request's signature, or a valid sha256 value.",
        .details = {{"ArgumentName", "x-amz-content-sha256"},
                    {"ArgumentValue", std::string(payload_hash.substr(0, 256))}}});
  }
  Payload payload{.mode = *mode};
  if (*mode == PayloadMode::hashed) payload.sha256_hex = to_lower(payload_hash);
  auto names = trailer_names(request);
  if (!names || (!names->empty() && !has_trailer(*mode))) {
    return refuse(S3ErrorCode::malformed_trailer);
  }
  payload.trailers = std::move(*names);
  if (!is_streaming(*mode)) return payload;

  const auto length = find_header(request, "x-amz-decoded-content-length");
  if (length) payload.decoded_length = parse_length(*length);
  // botocore leaves the length out for bodies whose length it does not know; their trailer is then
  // what tells a whole body from a torn one.
  const bool may_be_unknown = !length && *mode == PayloadMode::streaming_unsigned_trailer;
  if (!payload.decoded_length && !may_be_unknown) {
    return refuse(S3ErrorCode::missing_content_length,
                  "You must provide the x-amz-decoded-content-length header.");
  }
  return payload;
}

S3Error payload_hash_mismatch(std::string_view declared_hex, std::string_view computed_hex) {
  return {.code = S3ErrorCode::x_amz_content_sha256_mismatch,
          .details = {{"ClientComputedContentSHA256", std::string(declared_hex)},
                      {"S3ComputedContentSHA256", std::string(computed_hex)}}};
}

std::string stored_content_encoding(std::string_view header_value) {
  std::string out;
  while (!header_value.empty()) {
    const std::size_t comma = header_value.find(',');
    const std::string_view coding = trim(header_value.substr(0, comma));
    if (!coding.empty() && !equal_ignoring_case(coding, "aws-chunked")) {
      if (!out.empty()) out.push_back(',');
      out.append(coding);
    }
    header_value.remove_prefix(comma == std::string_view::npos ? header_value.size() : comma + 1);
  }
  return out;
}

}  // namespace tarn::aws
