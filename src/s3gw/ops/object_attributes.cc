// GetObjectAttributes (A12.2).
#include <string_view>

#include "s3gw/call.h"
#include "s3gw/error_response.h"
#include "s3gw/handlers.h"
#include "s3gw/object_headers.h"
#include "s3gw/part_count.h"

namespace tarn::s3gw {

namespace {

using aws::S3ErrorCode;

struct Attributes {
  bool etag = false, parts = false, storage_class = false, size = false;
};

Attributes read_attributes(const Call& call) {
  std::string_view rest = call.header("x-amz-object-attributes").value_or("");
  if (rest.empty()) {
    refuse(S3ErrorCode::invalid_request, "The x-amz-object-attributes header is missing.");
  }
  Attributes out;
  while (!rest.empty()) {
    const auto comma = rest.find(',');
    const std::string_view name = aws::trim(rest.substr(0, comma));
    rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
    if (name == "ETag") {
      out.etag = true;
    } else if (name == "ObjectParts") {
      out.parts = true;
    } else if (name == "StorageClass") {
      out.storage_class = true;
    } else if (name == "ObjectSize") {
      out.size = true;
    } else if (name != "Checksum") {  // none is kept with objects
      refuse_argument("x-amz-object-attributes", name, "Invalid attribute name specified.");
    }
  }
  return out;
}

}  // namespace

Task<> get_object_attributes(Context& ctx, Call& call) {
  require_null_version(call, S3ErrorCode::no_such_version);
  const Attributes wanted = read_attributes(call);
  const auto entry = co_await find_object(ctx, call);
  if (!entry) refuse(S3ErrorCode::no_such_key);
  aws::XmlWriter xml("GetObjectAttributesResponse");
  if (wanted.etag) xml.element("ETag", entry->etag);
  if (const auto parts = part_count_of(entry->etag); parts && wanted.parts) {
    xml.open("ObjectParts");
    xml.element("PartsCount", *parts);
    xml.close();
  }
  if (wanted.storage_class) xml.element("StorageClass", storage_class_of(entry->metadata));
  if (wanted.size) xml.element("ObjectSize", entry->size);
  call.response.add_header("Last-Modified", to_http_date(entry->last_modified));
  co_await send_xml(ctx, call, xml);
}

}  // namespace tarn::s3gw
