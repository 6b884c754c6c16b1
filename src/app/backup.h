// tarn backup and tarn restore: an installation with an embedded store, copied while it runs.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "app/config.h"

namespace tarn::app {

struct BackupPlaces {
  Config config;                                     // of the server
  std::optional<std::filesystem::path> secret_file;  // with --data-dir
};

/// Of a server started with these arguments ("" = not given). The encryption secret is not asked
/// for: what it encrypts is copied as it is. Throws Error{invalid_argument}.
BackupPlaces find_places(const std::string& config_file, const std::string& data_dir,
                         std::map<std::string, std::string> environment);

/// Blocking. Makes the backup in `to`, which must not exist or be empty. The metadata first, at one
/// moment, by the running server if there is one; then the objects, which are never rewritten: what
/// the metadata names is there. Returns the exit code; throws Error for what stands in the way.
int run_backup(const BackupPlaces& places, const std::filesystem::path& to);

/// Blocking. Puts the backup where `places` says, which must be empty, and checks every byte on the
/// way. The metadata comes last and at once: a restore that was cut short leaves no store.
int run_restore(const std::filesystem::path& from, const BackupPlaces& places);

}  // namespace tarn::app
