// UploadPart (A9.3).
#include <utility>

#include "base/bytes.h"
#include "s3gw/call.h"
#include "s3gw/error_response.h"
#include "s3gw/handlers.h"
#include "s3gw/object_headers.h"
#include "s3gw/part_count.h"
#include "s3gw/request_body.h"
#include "s3gw/upload_call.h"

namespace tarn::s3gw {

Task<> upload_part(Context& ctx, Call& call) {
  const std::uint32_t number = require(parse_part_number(call.text("partNumber")));
  require(check_write_headers(call.headers));
  const UploadCall target = co_await get_upload(ctx, call);
  RequestBody body(call, call.services.config.put_bytes_max);
  const auto kept = target.algorithm();
  if (kept && body.algorithm() && *kept != *body.algorithm()) {
    refuse(aws::S3ErrorCode::invalid_request,
           "Checksum Type mismatch occurred, expected checksum Type: " +
               std::string(to_string(*kept)) +
               ", actual checksum Type: " + std::string(to_string(*body.algorithm())));
  }
  if (kept) body.want(*kept);
  block::Digests::Values digests;
  catalog::UploadParams params{.digests = body.wanted(),
                               .verify = [&](const block::Digests::Values& values) {
                                 body.verify(values);
                                 digests = values;
                               }};
  catalog::Catalog::PickDigest pick;
  if (kept) {
    pick = [algorithm = *kept](const block::Digests::Values& values) {
      return std::string(digest_of(algorithm, values));
    };
  }
  const auto part = co_await call.services.catalog.upload_part(
      ctx, *call.repository, target.upload, number, body, std::move(params), std::move(pick));
  call.response.add_header("ETag", "\"" + part.info.etag + "\"");
  if (const auto algorithm = kept ? kept : body.algorithm()) {
    call.response.add_header(aws::header_name(*algorithm),
                             to_base64(digest_of(*algorithm, digests)));
  }
  co_await send_empty(ctx, call, 200);
}

}  // namespace tarn::s3gw
