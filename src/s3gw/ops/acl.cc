// Access control lists (A12.3): one answer for all, since permissions are Tarn's own.
#include "s3gw/call.h"
#include "s3gw/error_response.h"
#include "s3gw/handlers.h"
#include "s3gw/request_body.h"

namespace tarn::s3gw {

namespace {

using aws::S3ErrorCode;

constexpr std::size_t kAclBytesMax = 64 * 1'024;
constexpr std::string_view kGrantee =
    R"(xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser")";

Task<> send_acl(Context& ctx, Call& call) {
  aws::XmlWriter xml("AccessControlPolicy");
  write_owner(xml, "Owner", call);
  xml.open("AccessControlList");
  xml.open("Grant");
  xml.open("Grantee", kGrantee);
  xml.element("ID", call.owner());
  xml.element("DisplayName", call.owner());
  xml.close();
  xml.element("Permission", "FULL_CONTROL");
  xml.close();
  xml.close();
  co_await send_xml(ctx, call, xml);
}

/// Takes what changes nothing: "private", "bucket-owner-full-control", or the owner's own grant.
Task<> accept_acl(Context& ctx, Call& call) {
  const auto canned = call.header("x-amz-acl");
  const std::string document = co_await read_document(ctx, call, kAclBytesMax);
  for (const auto& [field, value] : call.headers) {
    if (aws::starts_with_ignoring_case(field, "x-amz-grant-")) {
      refuse(S3ErrorCode::access_control_list_not_supported);
    }
  }
  if (canned && *canned != "private" && *canned != "bucket-owner-full-control") {
    refuse(S3ErrorCode::access_control_list_not_supported);
  }
  const auto count = [&](std::string_view text) {
    std::size_t found = 0;
    for (auto at = document.find(text); at != std::string::npos;
         at = document.find(text, at + text.size())) {
      ++found;
    }
    return found;
  };
  const bool own_grant_only = count("<Grant>") == 1 && count(">FULL_CONTROL<") == 1 &&
                              count("<URI>") == 0 && count("<EmailAddress>") == 0 &&
                              count("<ID>" + call.owner() + "</ID>") == count("<ID>");
  if (!document.empty() && !own_grant_only) {
    refuse(S3ErrorCode::access_control_list_not_supported);
  }
  co_await send_empty(ctx, call, 200);
}

}  // namespace

Task<> get_bucket_acl(Context& ctx, Call& call) {
  return send_acl(ctx, call);
}

Task<> put_bucket_acl(Context& ctx, Call& call) {
  return accept_acl(ctx, call);
}

Task<> get_object_acl(Context& ctx, Call& call) {
  require_null_version(call, S3ErrorCode::no_such_version);
  const auto entry = co_await find_object(ctx, call);
  if (!entry) refuse(S3ErrorCode::no_such_key);
  co_await send_acl(ctx, call);
}

Task<> put_object_acl(Context& ctx, Call& call) {
  require_null_version(call, S3ErrorCode::no_such_version);
  const auto entry = co_await find_object(ctx, call);
  if (!entry) refuse(S3ErrorCode::no_such_key);
  co_await accept_acl(ctx, call);
}

Task<> get_object_lock(Context&, Call&) {
  refuse(S3ErrorCode::invalid_request, "Bucket is missing Object Lock Configuration");
  co_return;
}

}  // namespace tarn::s3gw
