// How the rows of operations.cc become the permissions auth/ checks.
#pragma once

#include <string_view>
#include <vector>

#include "auth/authority.h"
#include "s3gw/call.h"

namespace tarn::s3gw {

/// Pure. Throws for an x-amz-copy-source that names nothing.
std::vector<auth::Permission> permissions_of(const Operation& operation, const Call& call);

auth::Permission object_permission(std::string_view action, std::string_view repository,
                                   std::string_view path);

/// Throws unless the caller satisfies the row; of per_item rows only that there is a caller.
void authorize(const Operation& operation, const Call& call);

}  // namespace tarn::s3gw
