// Installations set up before the reference's built-in mode had a partition of its own keep the
// administrator among the users of partition `auth` (storage-format.md 2.12).
#pragma once

#include <string>
#include <string_view>

#include "base/context.h"
#include "base/task.h"
#include "kv/store.h"

namespace tarn::auth {

/// Copies the one user with its one credential to partition `basicAuth`, the secret sealed anew;
/// what is in `auth` stays as it is. Throws Error{invalid_argument} when there is another number of
/// either, or when `secret_key` does not open the secret: then nothing was written.
Task<> migrate_administrator(Context& ctx, kv::Store& kv, std::string secret_key);

}  // namespace tarn::auth
