// A small tree to start playing with, for repositories created with sample_data.
#pragma once

#include <string_view>

#include "base/context.h"
#include "base/task.h"
#include "rest/call.h"

namespace tarn::rest {

/// Uploads the files to the default branch, commits them and protects the branch.
Task<> add_sample_data(Context& ctx, const Services& services,
                       const versioning::Repository& repository, std::string_view committer);

}  // namespace tarn::rest
