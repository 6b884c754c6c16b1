// Records of pull requests and runs, from bytes.
#pragma once

#include <string>
#include <string_view>

#include "catalog/recorded.h"

namespace tarn::catalog {

// All throw Error{corrupt}.
PullRequest decode_pull_request(std::string_view bytes);
ActionRun decode_action_run(std::string_view bytes);
HookRun decode_hook_run(std::string_view bytes);
/// The key that a secondary index points to.
std::string decode_index(std::string_view bytes);

}  // namespace tarn::catalog
