#include "api/branch_models.h"

namespace tarn::api {

namespace {

CommitOverrides decode_overrides(JsonView body) {
  const auto overrides = body.find("commit_overrides");
  if (!overrides) return {};
  return {.message = overrides->text_of("message"), .metadata = overrides->map_of("metadata")};
}

}  // namespace

void write(JsonWriter& out, const Ref& ref) {
  out.begin_object();
  out.member("id", ref.id);
  out.member("commit_id", ref.commit_id);
  out.end_object();
}

BranchCreation decode_branch_creation(JsonView body) {
  return {.name = body.text_of("name").value_or(""),
          .source = body.text_of("source").value_or(""),
          .force = body.flag_of("force"),
          .hidden = body.flag_of("hidden")};
}

TagCreation decode_tag_creation(JsonView body) {
  return {.id = body.text_of("id").value_or(""),
          .ref = body.text_of("ref").value_or(""),
          .force = body.flag_of("force")};
}

ResetCreation decode_reset_creation(JsonView body) {
  return {.type = body.text_of("type").value_or(""),
          .path = body.text_of("path").value_or(""),
          .force = body.flag_of("force")};
}

RevertCreation decode_revert_creation(JsonView body) {
  return {.ref = body.text_of("ref").value_or(""),
          .parent_number = body.integer_of("parent_number").value_or(0),
          .commit_overrides = decode_overrides(body),
          .force = body.flag_of("force"),
          .allow_empty = body.flag_of("allow_empty")};
}

CherryPickCreation decode_cherry_pick_creation(JsonView body) {
  return {.ref = body.text_of("ref").value_or(""),
          .parent_number = body.integer_of("parent_number"),
          .commit_overrides = decode_overrides(body),
          .force = body.flag_of("force")};
}

}  // namespace tarn::api
