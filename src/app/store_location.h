// Which metadata store an operator means: a URI, a configuration file or a data directory.
#pragma once

#include <expected>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace tarn::app {

struct StoreLocation {
  std::string name;                              // for people and records; holds no password
  std::optional<std::filesystem::path> file;     // configuration to read, or
  std::map<std::string, std::string> overrides;  // database.* keys
};

/// "rocksdb:PATH", "postgres://...", "dynamodb:TABLE[?region=R&endpoint=URL&profile=P]", a data
/// directory, or a configuration file. Looks at the file system to tell the last two apart.
std::expected<StoreLocation, ParseError> find_store(std::string_view text);

}  // namespace tarn::app
