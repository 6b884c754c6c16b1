// How a request's body is protected: what x-amz-content-sha256, x-amz-trailer and
// x-amz-decoded-content-length say together.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/s3_error.h"
#include "aws/signed_request.h"

namespace tarn::aws {

inline constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";
inline constexpr std::string_view kStreamingSigned = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
inline constexpr std::string_view kStreamingSignedTrailer =
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";
inline constexpr std::string_view kStreamingUnsignedTrailer = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
inline constexpr std::string_view kEmptyPayloadHash =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

enum class PayloadMode {
  unsigned_payload,  // nothing to check here; other checksums still apply
  hashed,            // compare SHA-256 at the end, before anything becomes visible
  streaming_signed,  // the rest is aws-chunked: wrap the body in a ChunkedDecoder
  streaming_signed_trailer,
  streaming_unsigned_trailer,
};

constexpr bool is_streaming(PayloadMode mode) {
  return mode != PayloadMode::unsigned_payload && mode != PayloadMode::hashed;
}

constexpr bool has_trailer(PayloadMode mode) {
  return mode == PayloadMode::streaming_signed_trailer ||
         mode == PayloadMode::streaming_unsigned_trailer;
}

struct Payload {
  PayloadMode mode = PayloadMode::unsigned_payload;
  std::string sha256_hex;                       // hashed: 64 lower-case hex
  std::optional<std::uint64_t> decoded_length;  // streaming: size of the object
  std::vector<std::string> trailers;            // declared names, lower-case
};

/// `payload_hash` is SigV4::payload_hash; empty (V2, anonymous) counts as UNSIGNED-PAYLOAD, in
/// which case the header decides when it names a trailer stream.
/// Refuses unknown words, a missing decoded length (411) and a trailer without a trailer stream.
std::expected<Payload, S3Error> parse_payload(const SignedRequest& request,
                                              std::string_view payload_hash);

/// The answer when a hashed body turns out to be another.
S3Error payload_hash_mismatch(std::string_view declared_hex, std::string_view computed_hex);

/// Content-Encoding as the object keeps it: without aws-chunked.
std::string stored_content_encoding(std::string_view header_value);

}  // namespace tarn::aws
