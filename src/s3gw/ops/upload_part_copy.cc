// UploadPartCopy (A9.4).
#include <optional>
#include <utility>

#include "s3gw/call.h"
#include "s3gw/conditions.h"
#include "s3gw/copy_source.h"
#include "s3gw/error_response.h"
#include "s3gw/handlers.h"
#include "s3gw/part_count.h"
#include "s3gw/upload_call.h"

namespace tarn::s3gw {

namespace {

using aws::S3ErrorCode;

/// The request's own conditions, and a range that must lie within the source.
catalog::Condition part_condition(const Call& call, std::optional<block::ByteRange> range) {
  return [range, own = source_condition(call)](const std::optional<catalog::Entry>& source) {
    if (own) own(source);
    if (range && range->last >= source->size) {
      refuse(S3ErrorCode::invalid_range, {}, {{"ActualObjectSize", std::to_string(source->size)}});
    }
  };
}

}  // namespace

Task<> upload_part_copy(Context& ctx, Call& call) {
  const std::uint32_t number = require(parse_part_number(call.text("partNumber")));
  const CopySource source =
      require(parse_copy_source(call.header("x-amz-copy-source").value_or("")));
  if (!source.version.empty() && source.version != "null") {
    refuse(S3ErrorCode::no_such_version, {}, {{"VersionId", source.version}});
  }
  std::optional<block::ByteRange> range;
  if (const auto text = call.header("x-amz-copy-source-range")) {
    range = require(parse_copy_range(*text));
  }
  const UploadCall target = co_await get_upload(ctx, call);
  const auto from = co_await get_repository(ctx, call, source.bucket);
  const auto part = co_await call.services.catalog.copy_part(
      ctx, *call.repository, target.upload, number,
      {.repository = from->id, .ref = source.key.ref, .path = source.key.path}, range,
      part_condition(call, range));
  aws::XmlWriter xml("CopyPartResult");
  xml.element("LastModified", to_s3_time(part.info.last_modified));
  xml.etag("ETag", part.info.etag);
  co_await send_xml(ctx, call, xml);
}

}  // namespace tarn::s3gw
