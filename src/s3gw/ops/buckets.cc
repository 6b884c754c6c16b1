// HeadBucket and CreateBucket (A5.2, A5.3). Repositories are made through the HTTP API: an S3
// client has no way to say where their data goes.
#include "aws/request_xml.h"
#include "base/format.h"
#include "s3gw/call.h"
#include "s3gw/error_response.h"
#include "s3gw/handlers.h"
#include "s3gw/request_body.h"

namespace tarn::s3gw {

using aws::S3ErrorCode;

Task<> head_bucket(Context& ctx, Call& call) {
  call.response.add_header("x-amz-bucket-region", call.services.config.region);
  call.response.add_header("x-amz-access-point-alias", "false");
  co_await send_empty(ctx, call, 200);
}

Task<> create_bucket(Context& ctx, Call& call) {
  const auto id = RepositoryId::parse(call.target.bucket);
  if (!id) refuse(S3ErrorCode::invalid_bucket_name, {}, {{"BucketName", call.target.bucket}});
  if (aws::equal_ignoring_case(call.header("x-amz-bucket-object-lock-enabled").value_or(""),
                               "true")) {
    refuse(S3ErrorCode::not_implemented, {}, {{"Header", "x-amz-bucket-object-lock-enabled"}});
  }
  const std::string document = co_await read_document(ctx, call, aws::kXmlBytesMax);
  const std::string location = require(aws::parse_create_bucket(document));
  if (!location.empty() && location != call.services.config.region && location != "EU") {
    refuse(S3ErrorCode::invalid_location_constraint, {}, {{"LocationConstraint", location}});
  }
  bool exists = true;
  try {
    static_cast<void>(co_await call.services.catalog.engine().get_repository(ctx, *id));
  } catch (const Error& error) {
    if (s3_code_of(error.code()) != S3ErrorCode::no_such_bucket) throw;
    exists = false;
  }
  if (!exists) {
    refuse(S3ErrorCode::not_implemented,
           "Repositories are created through the Tarn API, not through S3.");
  }
  bool may_read = true;
  try {
    call.services.authority.authorize(
        call.principal, {{.action = "fs:ReadRepository",
                          .resource = format("arn:lakefs:fs:::repository/{}", id->str())}});
  } catch (const Error& error) {
    if (error.code() != ErrorCode::permission_denied) throw;
    may_read = false;
  }
  refuse(may_read ? S3ErrorCode::bucket_already_owned_by_you : S3ErrorCode::bucket_already_exists,
         {}, {{"BucketName", id->str()}});
}

}  // namespace tarn::s3gw
