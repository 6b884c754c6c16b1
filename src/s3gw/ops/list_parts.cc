// ListParts (A9.7).
#include <algorithm>

#include "aws/request_xml.h"
#include "base/bytes.h"
#include "s3gw/call.h"
#include "s3gw/handlers.h"
#include "s3gw/object_headers.h"
#include "s3gw/upload_call.h"

namespace tarn::s3gw {

namespace {

constexpr std::uint32_t kPartsMax = 1'000;

}  // namespace

Task<> list_parts(Context& ctx, Call& call) {
  const std::uint32_t amount = read_count(call, "max-parts", kPartsMax, kPartsMax);
  const std::uint32_t after = read_count(call, "part-number-marker", 0, aws::kPartNumberMax);
  const aws::KeyEncoding encoding = read_encoding(call);
  const UploadCall target = co_await get_upload(ctx, call);
  auto parts = co_await call.services.catalog.list_parts(ctx, *call.repository, target.upload,
                                                         after, amount + 1);
  const bool has_more = parts.size() > amount && amount > 0;
  parts.resize(std::min<std::size_t>(parts.size(), amount));
  const auto algorithm = target.algorithm();
  aws::XmlWriter xml("ListPartsResult");
  xml.element("Bucket", call.target.bucket);
  xml.key("Key", call.target.key, encoding);
  xml.element("UploadId", target.upload.id);
  write_owner(xml, "Initiator", call);
  write_owner(xml, "Owner", call);
  xml.element("StorageClass", storage_class_of(target.upload.metadata));
  xml.element("PartNumberMarker", after);
  xml.element("NextPartNumberMarker", parts.empty() ? 0 : parts.back().info.number);
  xml.element("MaxParts", amount);
  xml.element("IsTruncated", has_more);
  if (algorithm) {
    xml.element("ChecksumAlgorithm", target.upload.checksum_algorithm);
    xml.element("ChecksumType", target.upload.checksum_type);
  }
  for (const auto& part : parts) {
    xml.open("Part");
    xml.element("PartNumber", part.info.number);
    xml.element("LastModified", to_s3_time(part.info.last_modified));
    xml.etag("ETag", part.info.etag);
    xml.element("Size", part.info.size);
    if (algorithm && !part.checksum.empty()) {
      xml.element(aws::element_name(*algorithm), to_base64(part.checksum));
    }
    xml.close();
  }
  co_await send_xml(ctx, call, xml);
}

}  // namespace tarn::s3gw
