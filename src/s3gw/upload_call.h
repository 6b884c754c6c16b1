// What the calls of a multipart upload have in common.
#pragma once

#include <optional>

#include "aws/checksum.h"
#include "base/context.h"
#include "base/task.h"
#include "s3gw/call.h"

namespace tarn::s3gw {

struct UploadCall {
  BranchId branch;
  catalog::MultipartUpload upload;

  /// The algorithm the upload was created with.
  std::optional<aws::ChecksumAlgorithm> algorithm() const;
};

/// The upload that the request's uploadId and key name together; NoSuchUpload otherwise.
Task<UploadCall> get_upload(Context& ctx, const Call& call);

}  // namespace tarn::s3gw
