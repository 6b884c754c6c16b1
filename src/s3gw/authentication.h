// Who sent the request: signature verification before anything else is looked at (Part B, A15).
#pragma once

#include "base/context.h"
#include "base/task.h"
#include "s3gw/call.h"

namespace tarn::s3gw {

/// Fills the members of `call` that come from the signature. Throws S3Failure for anything but a
/// valid signature of a known key; the body is not touched.
Task<> authenticate(Context& ctx, Call& call);

}  // namespace tarn::s3gw
