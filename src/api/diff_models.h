// Differences between refs.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "api/json_writer.h"
#include "api/object_models.h"

namespace tarn::api {

struct DiffObjectStat {
  std::string checksum;
  std::int64_t mtime = 0;  // Unix seconds
  std::string content_type;
  std::map<std::string, std::string> metadata;
};

struct Diff {
  std::string type;  // "added", "removed", "changed", "conflict", "prefix_changed"
  std::string path;
  PathType path_type = PathType::object;
  std::optional<std::int64_t> size_bytes;
  std::optional<DiffObjectStat> right;
};

void write(JsonWriter& out, const DiffObjectStat& stat);
void write(JsonWriter& out, const Diff& diff);

}  // namespace tarn::api
