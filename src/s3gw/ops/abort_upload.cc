// AbortMultipartUpload (A9.6).
#include "aws/aws_date.h"
#include "s3gw/call.h"
#include "s3gw/error_response.h"
#include "s3gw/handlers.h"
#include "s3gw/upload_call.h"

namespace tarn::s3gw {

Task<> abort_upload(Context& ctx, Call& call) {
  const UploadCall target = co_await get_upload(ctx, call);
  if (const auto text = call.header("x-amz-if-match-initiated-time")) {
    const auto time = aws::parse_aws_date(*text);
    if (!time || time->seconds != target.upload.creation_date.seconds) {
      refuse(aws::S3ErrorCode::precondition_failed, {},
             {{"Condition", "x-amz-if-match-initiated-time"}});
    }
  }
  co_await call.services.catalog.abort_upload(ctx, *call.repository, target.upload);
  co_await send_empty(ctx, call, 204);
}

}  // namespace tarn::s3gw
