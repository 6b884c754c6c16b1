// The store's multipart operations: the service's own, one to one.
#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "base/error.h"
#include "base/format.h"
#include "block/part_list.h"
#include "block/s3/checked_body.h"
#include "block/s3/s3_object_store.h"
#include "block/s3/s3_store_state.h"
#include "block/s3/verdict.h"

namespace tarn::block {

namespace {

using s3::Reply;
using s3::Target;

constexpr std::size_t kUnknownPartBytesMax = 64 * 1024 * 1024;
constexpr std::uint64_t kSmallBodyBytes = 256 * 1024;

void check_upload_id(std::string_view upload_id) {
  if (upload_id.empty() || upload_id.size() > 1'024) throw_upload_not_found();
}

}  // namespace

Task<std::string> S3ObjectStore::create_multipart(Context& ctx, const ObjectRef& ref) {
  const auto pass = state_->gate.enter();
  co_return co_await state_->create_upload(ctx, s3::target_of(ref));
}

Task<std::string> S3ObjectStore::upload_part(Context& ctx, const ObjectRef& ref,
                                             std::string_view upload_id, std::uint32_t number,
                                             io::ByteSource& body, PutOptions options) {
  const auto pass = state_->gate.enter();
  const Target target = s3::target_of(ref);
  check_part_number(number);
  check_upload_id(upload_id);
  const auto size = body.size();
  if (size && *size > options.bytes_max) throw Error(ErrorCode::too_large, "object is too large");
  if (size && *size > state_->config.streamed_part_bytes) {
    co_return co_await stream_part(ctx, target, std::string(upload_id), number, body,
                                   std::move(options));
  }
  io::Semaphore::Permit buffer;
  if (!size || *size > kSmallBodyBytes) buffer = co_await state_->take_buffer(ctx);
  s3::BodyCutter cutter(body, options);
  auto bytes = std::make_shared<const std::string>(co_await cutter.next(ctx, kUnknownPartBytesMax));
  if (!cutter.ended()) {
    throw Error(ErrorCode::too_large, "a part of this size must announce its length");
  }
  if (options.accept) options.accept();
  co_return co_await state_->send_part(ctx, target, upload_id, number, std::move(bytes));
}

Task<std::string> S3ObjectStore::stream_part(Context& ctx, s3::Target target, std::string upload_id,
                                             std::uint32_t number, io::ByteSource& body,
                                             PutOptions options) {
  s3::CheckedBody checked(body, options);
  const Reply reply =
      co_await state_->requester.demand(ctx, {.what = "upload part",
                                              .method = "PUT",
                                              .bucket = target.bucket,
                                              .key = target.key,
                                              .query = upload_query(upload_id, number),
                                              .stream = &checked,
                                              .stream_bytes = *body.size()});
  std::string etag = s3::plain_etag(reply.header("etag"));
  const bool plain = state_->config.server_side_encryption != "aws:kms" && s3::is_md5_etag(etag);
  if (plain && etag != to_hex(checked.md5())) {
    throw Error(ErrorCode::unavailable, "the object store kept other bytes than were sent");
  }
  co_return etag;
}

Task<ObjectInfo> S3ObjectStore::complete_multipart(Context& ctx, const ObjectRef& ref,
                                                   std::string_view upload_id,
                                                   std::vector<Part> parts) {
  const auto pass = state_->gate.enter();
  const Target target = s3::target_of(ref);
  check_upload_id(upload_id);
  check_part_list(parts);
  for (const Part& part : parts) {
    if (s3::plain_etag(part.etag).empty()) throw_bad_part(part.number);
  }
  const std::string etag = co_await state_->complete_upload(ctx, target, upload_id, parts);
  ObjectInfo info = co_await state_->head(ctx, target);
  info.etag = etag;
  co_return info;
}

Task<> S3ObjectStore::abort_multipart(Context& ctx, const ObjectRef& ref,
                                      std::string_view upload_id) {
  const auto pass = state_->gate.enter();
  const Target target = s3::target_of(ref);
  if (upload_id.empty() || upload_id.size() > 1'024) co_return;
  co_await state_->abort_upload(ctx, target, upload_id);
}

Task<std::vector<PartInfo>> S3ObjectStore::list_parts(Context& ctx, const ObjectRef& ref,
                                                      std::string_view upload_id,
                                                      std::uint32_t after, std::size_t parts_max) {
  const auto pass = state_->gate.enter();
  const Target target = s3::target_of(ref);
  check_upload_id(upload_id);
  const auto wanted = std::clamp<std::size_t>(parts_max, 1, 1'000);
  std::string query = format("max-parts={}&part-number-marker={}&", wanted, after);
  const Reply reply =
      co_await state_->requester.demand(ctx, {.what = "list parts",
                                              .bucket = target.bucket,
                                              .key = target.key,
                                              .query = query + upload_query(upload_id)});
  auto parsed = s3::parse_parts(reply.text);
  if (!parsed) throw Error(ErrorCode::unavailable, "object store: " + parsed.error().message);
  std::erase_if(parsed->parts, [&](const PartInfo& part) { return part.number <= after; });
  if (parsed->parts.size() > parts_max) parsed->parts.resize(parts_max);
  co_return std::move(parsed->parts);
}

}  // namespace tarn::block
