#include "api/retention_models.h"

namespace tarn::api {

void write(JsonWriter& out, const GarbageCollectionRules& rules) {
  out.begin_object();
  out.member("default_retention_days", rules.default_retention_days);
  out.key("branches");
  out.begin_array();
  for (const GarbageCollectionRule& rule : rules.branches) {
    out.begin_object();
    out.member("branch_id", rule.branch_id);
    out.member("retention_days", rule.retention_days);
    out.end_object();
  }
  out.end_array();
  out.end_object();
}

GarbageCollectionRules decode_garbage_collection_rules(JsonView body) {
  GarbageCollectionRules rules{.default_retention_days =
                                   body.integer_of("default_retention_days").value_or(0)};
  if (const auto branches = body.find("branches")) {
    for (const JsonView item : branches->items()) {
      rules.branches.push_back({.branch_id = item.text_of("branch_id").value_or(""),
                                .retention_days = item.integer_of("retention_days").value_or(0)});
    }
  }
  return rules;
}

}  // namespace tarn::api
