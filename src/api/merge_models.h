// Merges and merge bases.
#pragma once

#include <map>
#include <string>

#include "api/json_reader.h"
#include "api/json_writer.h"

namespace tarn::api {

struct Merge {
  std::string message;
  std::map<std::string, std::string> metadata;
  std::string strategy;
  bool force = false;
  bool allow_empty = false;
  bool squash_merge = false;
};

struct MergeResult {
  std::string reference;  // "" = conflict
};

struct FindMergeBaseResult {
  std::string source_commit_id, destination_commit_id, base_commit_id;
};

void write(JsonWriter& out, const MergeResult& result);
void write(JsonWriter& out, const FindMergeBaseResult& result);

Merge decode_merge(JsonView body);

}  // namespace tarn::api
