// A request's body as the object store reads it: aws-chunked framing removed, and everything the
// request promised about it checked before it may become visible (A10, B3, B4).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "aws/checksum.h"
#include "aws/chunked_decoder.h"
#include "aws/payload.h"
#include "block/digests.h"
#include "io/byte_source.h"
#include "s3gw/call.h"

namespace tarn::s3gw {

/// Throws S3Failure for broken framing and signatures, for bodies that end short, and beyond the
/// limit: already in the constructor when the declared length passes it.
class RequestBody final : public io::ByteSource {
 public:
  RequestBody(const Call& call, std::uint64_t bytes_max);

  Task<std::string_view> read(Context& ctx) override;
  std::optional<std::uint64_t> size() const override;

  bool is_streaming() const { return decoder_.has_value(); }

  /// The algorithm the request names a checksum with.
  std::optional<aws::ChecksumAlgorithm> algorithm() const;
  /// Also compute this one, for an upload that keeps it.
  void want(aws::ChecksumAlgorithm algorithm);

  block::Digests::Wanted wanted() const { return wanted_; }

  /// Compares with what was promised, once the last byte is in. Throws S3Failure; any thread.
  void verify(const block::Digests::Values& digests) const;

 private:
  const aws::Payload payload_;
  const std::uint64_t bytes_max_;
  io::ByteSource& raw_;
  std::optional<aws::ChunkedDecoder> decoder_;
  std::optional<aws::RequestChecksum> checksum_;
  std::optional<std::string> md5_;
  block::Digests::Wanted wanted_;
  std::string_view input_;  // received, still framed
  std::uint64_t bytes_ = 0;
  bool ended_ = false;
};

std::string_view digest_of(aws::ChecksumAlgorithm algorithm, const block::Digests::Values& digests);

/// Response headers that repeat the checksum of what was stored.
void add_checksum_headers(Call& call, const RequestBody& body,
                          const block::Digests::Values& digests);

/// A small body (XML), verified. MalformedXML beyond `bytes_max`.
Task<std::string> read_document(Context& ctx, const Call& call, std::uint64_t bytes_max);

}  // namespace tarn::s3gw
