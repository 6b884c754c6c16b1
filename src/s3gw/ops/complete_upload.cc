// CompleteMultipartUpload (A9.5).
#include <charconv>
#include <utility>

#include "aws/request_xml.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "s3gw/call.h"
#include "s3gw/completion.h"
#include "s3gw/conditions.h"
#include "s3gw/error_response.h"
#include "s3gw/handlers.h"
#include "s3gw/request_body.h"
#include "s3gw/upload_call.h"

namespace tarn::s3gw {

namespace {

using aws::S3ErrorCode;

/// The checksum headers here are about the object, not about the document in the body.
struct Promise {
  std::optional<aws::ChecksumAlgorithm> algorithm;
  std::string checksum;  // as sent, "-N" included
  std::optional<std::uint64_t> size;
};

Promise read_promise(const Call& call) {
  Promise promise;
  for (const auto algorithm : aws::kChecksumAlgorithms) {
    if (const auto value = call.header(aws::header_name(algorithm))) {
      promise.algorithm = algorithm;
      promise.checksum = *value;
    }
  }
  if (const auto text = call.header("x-amz-mp-object-size")) {
    std::uint64_t size = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), size);
    if (error != std::errc() || end != text->data() + text->size()) {
      refuse_argument("x-amz-mp-object-size", *text, "Expected a size.");
    }
    promise.size = size;
  }
  return promise;
}

void check_promise(const Call& call, const Promise& promise, const UploadCall& target,
                   const Completion& completion) {
  const auto type = call.header("x-amz-checksum-type");
  if (type && !target.upload.checksum_type.empty() && *type != target.upload.checksum_type) {
    refuse(S3ErrorCode::invalid_request, "The checksum type differs from the upload's.");
  }
  if (promise.size && *promise.size != completion.size) {
    refuse(S3ErrorCode::invalid_request,
           "The provided 'x-amz-mp-object-size' header does not match what was computed.");
  }
  if (!promise.algorithm || completion.checksum.empty()) return;
  // Some clients leave the count off a composite checksum.
  const std::string_view computed = completion.checksum;
  const std::string_view bare = computed.substr(0, computed.find('-'));
  if (promise.algorithm != target.algorithm() ||
      (promise.checksum != computed && promise.checksum != bare)) {
    refuse(S3ErrorCode::bad_digest, {},
           {{"CalculatedDigest", std::string(computed)}, {"ExpectedDigest", promise.checksum}});
  }
}

/// The document's bytes; the hash the request was signed with is checked, the rest is not about it.
Task<std::string> read_part_list(Context& ctx, const Call& call) {
  const auto payload = require(aws::parse_payload(call.wire, call.payload_hash));
  if (aws::is_streaming(payload.mode)) {
    refuse(S3ErrorCode::invalid_request, "This operation does not take a streamed payload.");
  }
  std::string document;
  while (true) {
    const std::string_view piece = co_await call.request.body().read(ctx);
    if (piece.empty()) break;
    if (document.size() + piece.size() > aws::kCompleteXmlBytesMax) {
      refuse(S3ErrorCode::malformed_xml);
    }
    document.append(piece);
  }
  if (payload.mode == aws::PayloadMode::hashed) {
    const std::string computed = to_hex(sha256(document));
    if (computed != payload.sha256_hex) {
      refuse(aws::payload_hash_mismatch(payload.sha256_hex, computed));
    }
  }
  co_return document;
}

std::string location_of(const Call& call) {
  std::string url = call.request.is_tls() ? "https://" : "http://";
  url += call.header("host").value_or("");
  if (!call.target.virtual_host) url.append("/").append(call.target.bucket);
  return url.append("/").append(percent_encode(call.target.key, "/"));
}

Task<> send_result(Context& ctx, Call& call, std::string_view etag, const Completion& completion,
                   const catalog::MultipartUpload& upload) {
  aws::XmlWriter xml("CompleteMultipartUploadResult");
  xml.element("Location", location_of(call));
  xml.element("Bucket", call.target.bucket);
  xml.element("Key", call.target.key);
  xml.etag("ETag", etag);
  const auto algorithm = aws::find_checksum_algorithm(upload.checksum_algorithm);
  if (algorithm && !completion.checksum.empty()) {
    xml.element(aws::element_name(*algorithm), completion.checksum);
    xml.element("ChecksumType", upload.checksum_type);
  }
  co_await send_xml(ctx, call, xml);
}

/// A client that lost the first answer asks again. The upload is gone then, but an object made of
/// exactly these parts tells that it was completed.
Task<bool> was_completed(Context& ctx, const Call& call, std::string_view etag) {
  if (etag.empty()) co_return false;
  const auto entry = co_await find_object(ctx, call);
  co_return entry && entry->etag == etag;
}

}  // namespace

Task<> complete_upload(Context& ctx, Call& call) {
  static_cast<void>(co_await require_branch(ctx, call, call.key));
  const auto listed = require(aws::parse_complete_upload(co_await read_part_list(ctx, call)));
  std::optional<UploadCall> target;
  std::optional<aws::S3Error> missing;
  try {
    target = co_await get_upload(ctx, call);
  } catch (const aws::S3Failure& failure) {
    if (failure.error().code != S3ErrorCode::no_such_upload) throw;
    missing = failure.error();
  }
  if (missing) {
    const std::string etag = joined_etag(listed);
    if (!co_await was_completed(ctx, call, etag)) refuse(*std::move(missing));
    co_await send_result(ctx, call, etag, {}, {});
    co_return;
  }
  const std::string etag = joined_etag(listed);
  if (const auto entry = co_await call.services.catalog.resume_completion(
          ctx, *call.repository, target->branch, target->upload, etag, write_condition(call))) {
    co_await send_result(ctx, call, entry->etag, {}, target->upload);
    co_return;
  }
  const auto stored = co_await call.services.catalog.list_parts(
      ctx, *call.repository, target->upload, 0, aws::kPartNumberMax);
  Completion completion =
      require(check_parts(target->upload, listed, stored, call.services.config.part_bytes_min));
  check_promise(call, read_promise(call), *target, completion);
  const auto entry = co_await call.services.catalog.complete_upload(
      ctx, *call.repository, target->branch, target->upload, std::move(completion.parts),
      write_condition(call));
  co_await send_result(ctx, call, entry.etag, completion, target->upload);
}

}  // namespace tarn::s3gw
