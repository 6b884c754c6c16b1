// Small files and directories that must be there after a power failure: a name counts only once the
// directory it stands in was synced. Everything here blocks.
#pragma once

#include <string>
#include <string_view>

namespace tarn::io {

/// Makes the directory and those above it that are missing, and syncs every directory on the way:
/// who made one of them may have crashed before syncing. Those nobody may read are left alone.
/// Throws Error{unavailable}.
void make_directory_durable(const std::string& path);

/// Puts `bytes` into a file of this name, readable by its owner only: whole, or not at all, and
/// durable when this returns. Throws Error{unavailable}.
void write_file_durable(const std::string& path, std::string_view bytes);

}  // namespace tarn::io
