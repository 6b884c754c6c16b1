// Object tags (A12.1): part of the entry, so they are staged, committed and merged with it.
#include <utility>

#include "aws/request_xml.h"
#include "s3gw/call.h"
#include "s3gw/error_response.h"
#include "s3gw/handlers.h"
#include "s3gw/object_headers.h"
#include "s3gw/request_body.h"

namespace tarn::s3gw {

namespace {

using aws::S3ErrorCode;

Task<> replace_tags(Context& ctx, Call& call, aws::Tags tags) {
  require_null_version(call, S3ErrorCode::no_such_version);
  const BranchId branch = co_await require_branch(ctx, call, call.key);
  co_await call.services.catalog.engine().update(
      ctx, *call.repository, branch, call.key.path,
      [&](const std::optional<versioning::Value>& visible) {
        if (!visible) refuse(S3ErrorCode::no_such_key);
        catalog::Entry entry = catalog::decode_entry(visible->data);
        set_tags(entry.metadata, tags);
        return catalog::encode_entry(entry);
      },
      {});
}

}  // namespace

Task<> get_object_tagging(Context& ctx, Call& call) {
  require_null_version(call, S3ErrorCode::no_such_version);
  const auto entry = co_await find_object(ctx, call);
  if (!entry) refuse(S3ErrorCode::no_such_key);
  aws::XmlWriter xml("Tagging");
  xml.open("TagSet");
  for (const auto& [name, value] : tags_of(entry->metadata)) {
    xml.open("Tag");
    xml.element("Key", name);
    xml.element("Value", value);
    xml.close();
  }
  xml.close();
  co_await send_xml(ctx, call, xml);
}

Task<> put_object_tagging(Context& ctx, Call& call) {
  const std::string document = co_await read_document(ctx, call, aws::kXmlBytesMax);
  co_await replace_tags(ctx, call, require(aws::parse_tagging(document)));
  co_await send_empty(ctx, call, 200);
}

Task<> delete_object_tagging(Context& ctx, Call& call) {
  co_await replace_tags(ctx, call, {});
  co_await send_empty(ctx, call, 204);
}

}  // namespace tarn::s3gw
