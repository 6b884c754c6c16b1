#include "s3gw/request_body.h"

#include "base/bytes.h"
#include "base/error.h"
#include "s3gw/error_response.h"

namespace tarn::s3gw {

namespace {

using aws::ChecksumAlgorithm;
using aws::S3ErrorCode;

void add_wanted(block::Digests::Wanted& wanted, ChecksumAlgorithm algorithm) {
  switch (algorithm) {
    case ChecksumAlgorithm::crc32: wanted.crc32 = true; return;
    case ChecksumAlgorithm::crc32c: wanted.crc32c = true; return;
    case ChecksumAlgorithm::crc64nvme: wanted.crc64_nvme = true; return;
    case ChecksumAlgorithm::sha1: wanted.sha1 = true; return;
    case ChecksumAlgorithm::sha256: wanted.sha256 = true; return;
  }
}

[[noreturn]] void refuse_size(std::uint64_t bytes, std::uint64_t bytes_max) {
  refuse(S3ErrorCode::entity_too_large, {},
         {{"ProposedSize", std::to_string(bytes)}, {"MaxSizeAllowed", std::to_string(bytes_max)}});
}

/// The request without the header fields that a URL brought: what the body was signed with.
aws::Payload payload_of(const Call& call) {
  return require(aws::parse_payload(call.wire, call.payload_hash));
}

}  // namespace

RequestBody::RequestBody(const Call& call, std::uint64_t bytes_max)
    : payload_(payload_of(call)), bytes_max_(bytes_max), raw_(call.request.body()) {
  checksum_ = require(aws::parse_request_checksum(call.wire, payload_));
  if (const auto md5 = call.header("content-md5")) md5_ = require(aws::parse_content_md5(*md5));
  if (aws::is_streaming(payload_.mode)) decoder_.emplace(payload_, call.chunks);
  if (payload_.mode == aws::PayloadMode::hashed) wanted_.sha256 = true;
  if (checksum_) add_wanted(wanted_, checksum_->algorithm);
  if (const auto bytes = size(); bytes && *bytes > bytes_max_) refuse_size(*bytes, bytes_max_);
}

std::optional<std::uint64_t> RequestBody::size() const {
  return decoder_ ? payload_.decoded_length : raw_.size();
}

Task<std::string_view> RequestBody::read(Context& ctx) {
  while (!ended_) {
    if (input_.empty()) {
      try {
        input_ = co_await raw_.read(ctx);
      } catch (const Error& error) {
        if (error.code() == ErrorCode::cancelled) refuse(S3ErrorCode::incomplete_body);
        if (error.code() == ErrorCode::deadline_exceeded) refuse(S3ErrorCode::request_timeout);
        throw;
      }
      if (input_.empty()) {
        ended_ = true;
        if (decoder_) decoder_->finish();
        break;
      }
    }
    const std::string_view piece = decoder_ ? decoder_->next(input_) : std::exchange(input_, {});
    if (piece.empty()) continue;
    bytes_ += piece.size();
    if (bytes_ > bytes_max_) refuse_size(bytes_, bytes_max_);
    co_return piece;
  }
  co_return std::string_view();
}

std::optional<ChecksumAlgorithm> RequestBody::algorithm() const {
  if (!checksum_) return std::nullopt;
  return checksum_->algorithm;
}

void RequestBody::want(ChecksumAlgorithm algorithm) {
  add_wanted(wanted_, algorithm);
}

void RequestBody::verify(const block::Digests::Values& digests) const {
  if (payload_.mode == aws::PayloadMode::hashed) {
    const std::string computed = to_hex(digests.sha256);
    if (computed != payload_.sha256_hex) {
      refuse(aws::payload_hash_mismatch(payload_.sha256_hex, computed));
    }
  }
  if (md5_ && *md5_ != digests.md5) {
    refuse(S3ErrorCode::bad_digest, {},
           {{"CalculatedDigest", to_base64(digests.md5)}, {"ExpectedDigest", to_base64(*md5_)}});
  }
  if (!checksum_) return;
  const std::string_view computed = digest_of(checksum_->algorithm, digests);
  std::string expected = checksum_->expected;
  if (expected.empty() && decoder_) {
    expected = require(aws::find_trailer_checksum(checksum_->algorithm, decoder_->trailers()));
  }
  if (expected != computed) {
    refuse(aws::checksum_mismatch(checksum_->algorithm, expected, computed));
  }
}

std::string_view digest_of(ChecksumAlgorithm algorithm, const block::Digests::Values& digests) {
  switch (algorithm) {
    case ChecksumAlgorithm::crc32: return digests.crc32;
    case ChecksumAlgorithm::crc32c: return digests.crc32c;
    case ChecksumAlgorithm::crc64nvme: return digests.crc64_nvme;
    case ChecksumAlgorithm::sha1: return digests.sha1;
    case ChecksumAlgorithm::sha256: return digests.sha256;
  }
  std::unreachable();
}

void add_checksum_headers(Call& call, const RequestBody& body,
                          const block::Digests::Values& digests) {
  const auto algorithm = body.algorithm();
  if (!algorithm) return;
  call.response.add_header(aws::header_name(*algorithm), to_base64(digest_of(*algorithm, digests)));
  call.response.add_header("x-amz-checksum-type", "FULL_OBJECT");
}

Task<std::string> read_document(Context& ctx, const Call& call, std::uint64_t bytes_max) {
  RequestBody body(call, UINT64_MAX);
  if (body.is_streaming()) {
    refuse(S3ErrorCode::invalid_request, "This operation does not take a streamed payload.");
  }
  block::Digests digests(body.wanted());
  std::string document;
  while (true) {
    const std::string_view piece = co_await body.read(ctx);
    if (piece.empty()) break;
    if (document.size() + piece.size() > bytes_max) refuse(S3ErrorCode::malformed_xml);
    digests.update(piece);
    document.append(piece);
  }
  body.verify(digests.values());
  co_return document;
}

}  // namespace tarn::s3gw
