// How long garbage collection keeps what branches no longer show.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "api/json_reader.h"
#include "api/json_writer.h"

namespace tarn::api {

struct GarbageCollectionRule {
  std::string branch_id;
  std::int64_t retention_days = 0;
};

struct GarbageCollectionRules {
  std::int64_t default_retention_days = 0;
  std::vector<GarbageCollectionRule> branches;
};

void write(JsonWriter& out, const GarbageCollectionRules& rules);

GarbageCollectionRules decode_garbage_collection_rules(JsonView body);

}  // namespace tarn::api
