// The encryption secret of an installation that lives in one directory.
#pragma once

#include <string>

namespace tarn::app {

/// The secret in `<data_dir>/secret.key`; made on first use, readable by its owner only, and
/// durable before anything is encrypted with it. Throws Error{unavailable}.
std::string secret_in(const std::string& data_dir);

}  // namespace tarn::app
