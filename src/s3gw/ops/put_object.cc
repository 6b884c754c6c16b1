// PutObject (A8.1). What can be refused without the body is refused before "100 Continue".
#include "s3gw/call.h"
#include "s3gw/conditions.h"
#include "s3gw/error_response.h"
#include "s3gw/handlers.h"
#include "s3gw/object_headers.h"
#include "s3gw/request_body.h"

namespace tarn::s3gw {

namespace {

using aws::S3ErrorCode;

constexpr std::string_view kEmptyEtag = "\"d41d8cd98f00b204e9800998ecf8427e\"";

/// "main/" with nothing in it: a branch is always a directory, so making one is done already.
Task<> put_branch_root(Context& ctx, Call& call) {
  const auto branch = BranchId::parse(call.key.ref);
  if (!branch) refuse(co_await explain_missing_branch(ctx, call, call.key.ref));
  RequestBody body(call, call.services.config.put_bytes_max);
  if (body.size().value_or(1) != 0) {
    refuse(S3ErrorCode::invalid_argument, "A branch itself cannot hold data.");
  }
  static_cast<void>(
      co_await call.services.catalog.engine().get_branch(ctx, *call.repository, *branch));
  call.response.add_header("ETag", kEmptyEtag);
  co_await send_empty(ctx, call, 200);
}

}  // namespace

Task<> put_object(Context& ctx, Call& call) {
  if (call.key.has_path && call.key.path.empty() && !call.key.ref.empty()) {
    co_await put_branch_root(ctx, call);
    co_return;
  }
  const BranchId branch = co_await require_branch(ctx, call, call.key);
  require(check_write_headers(call.headers));
  RequestBody body(call, call.services.config.put_bytes_max);
  catalog::UploadParams params{
      .content_type = std::string(call.header("content-type").value_or("")),
      .metadata = require(stored_metadata(call.headers)),
      .condition = write_condition(call),
      .digests = body.wanted(),
      .verify = [&body](const block::Digests::Values& digests) { body.verify(digests); }};
  const auto uploaded = co_await call.services.catalog.upload(
      ctx, *call.repository, branch, call.key.path, body, std::move(params));
  call.response.add_header("ETag", "\"" + uploaded.entry.etag + "\"");
  add_checksum_headers(call, body, uploaded.digests);
  co_await send_empty(ctx, call, 200);
}

}  // namespace tarn::s3gw
