#include "api/merge_models.h"

namespace tarn::api {

void write(JsonWriter& out, const MergeResult& result) {
  out.begin_object();
  out.member("reference", result.reference);
  out.end_object();
}

void write(JsonWriter& out, const FindMergeBaseResult& result) {
  out.begin_object();
  out.member("source_commit_id", result.source_commit_id);
  out.member("destination_commit_id", result.destination_commit_id);
  out.member("base_commit_id", result.base_commit_id);
  out.end_object();
}

Merge decode_merge(JsonView body) {
  return {.message = body.text_of("message").value_or(""),
          .metadata = body.map_of("metadata").value_or(std::map<std::string, std::string>()),
          .strategy = body.text_of("strategy").value_or(""),
          .force = body.flag_of("force"),
          .allow_empty = body.flag_of("allow_empty"),
          .squash_merge = body.flag_of("squash_merge")};
}

}  // namespace tarn::api
