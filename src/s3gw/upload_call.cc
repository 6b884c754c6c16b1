#include "s3gw/upload_call.h"

#include <utility>

#include "s3gw/error_response.h"

namespace tarn::s3gw {

std::optional<aws::ChecksumAlgorithm> UploadCall::algorithm() const {
  if (upload.checksum_algorithm.empty()) return std::nullopt;
  return aws::find_checksum_algorithm(upload.checksum_algorithm);
}

Task<UploadCall> get_upload(Context& ctx, const Call& call) {
  BranchId branch = co_await require_branch(ctx, call, call.key);
  const std::string_view id = call.text("uploadId");
  std::optional<catalog::MultipartUpload> upload;
  try {
    upload =
        co_await call.services.catalog.get_upload(ctx, *call.repository, branch, call.key.path, id);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::upload_not_found) throw;
  }
  if (!upload) {
    refuse(aws::S3ErrorCode::no_such_upload, {}, {{"UploadId", std::string(id.substr(0, 256))}});
  }
  co_return UploadCall{.branch = std::move(branch), .upload = *std::move(upload)};
}

}  // namespace tarn::s3gw
