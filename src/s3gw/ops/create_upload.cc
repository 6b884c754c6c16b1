// CreateMultipartUpload (A9.2).
#include <optional>
#include <utility>

#include "aws/checksum.h"
#include "s3gw/call.h"
#include "s3gw/error_response.h"
#include "s3gw/handlers.h"
#include "s3gw/object_headers.h"

namespace tarn::s3gw {

namespace {

using aws::S3ErrorCode;

struct ChecksumChoice {
  std::string algorithm, type;  // both empty when none was asked for
};

ChecksumChoice read_choice(const Call& call) {
  const std::string_view name = call.header("x-amz-checksum-algorithm").value_or("");
  const std::string_view type_name = call.header("x-amz-checksum-type").value_or("");
  if (name.empty()) {
    if (!type_name.empty()) {
      refuse(S3ErrorCode::invalid_request,
             "x-amz-checksum-type goes with x-amz-checksum-algorithm.");
    }
    return {};
  }
  const auto algorithm = aws::find_checksum_algorithm(name);
  if (!algorithm) {
    refuse(S3ErrorCode::invalid_request,
           "Checksum algorithm provided is unsupported. Please try again with any of the valid "
           "types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]");
  }
  const auto type = type_name.empty() ? std::optional(aws::default_checksum_type(*algorithm))
                                      : aws::find_checksum_type(type_name);
  if (!type || !aws::allows(*algorithm, *type)) {
    refuse(S3ErrorCode::invalid_request,
           "The checksum type cannot be used with this checksum algorithm.");
  }
  return {.algorithm = std::string(to_string(*algorithm)), .type = std::string(to_string(*type))};
}

}  // namespace

Task<> create_upload(Context& ctx, Call& call) {
  const BranchId branch = co_await require_branch(ctx, call, call.key);
  if (call.key.path.empty()) refuse(S3ErrorCode::invalid_argument, "The key has no path.");
  require(check_write_headers(call.headers));
  auto choice = read_choice(call);
  const auto upload = co_await call.services.catalog.create_upload(
      ctx, *call.repository, branch, call.key.path,
      {.metadata = require(stored_metadata(call.headers)),
       .content_type = std::string(call.header("content-type").value_or("")),
       .checksum_algorithm = choice.algorithm,
       .checksum_type = choice.type});
  if (!choice.algorithm.empty()) {
    call.response.add_header("x-amz-checksum-algorithm", choice.algorithm);
    call.response.add_header("x-amz-checksum-type", choice.type);
  }
  aws::XmlWriter xml("InitiateMultipartUploadResult");
  xml.element("Bucket", call.target.bucket);
  xml.element("Key", call.target.key);
  xml.element("UploadId", upload.id);
  co_await send_xml(ctx, call, xml);
}

}  // namespace tarn::s3gw
