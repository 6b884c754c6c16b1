// A page of objects with URLs in the place of addresses: for those who ask, since every URL costs a
// signature.
#pragma once

#include "base/task.h"
#include "rest/call.h"

namespace tarn::rest {

/// Answers listObjects with presign=true. An object the caller may list but not read keeps its
/// address.
Task<> list_presigned(Call& call, const versioning::Repository& repository);

}  // namespace tarn::rest
