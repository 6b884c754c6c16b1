// Every request model, from any document: one its schema refuses decodes to something, too, and
// one it accepts keeps what the schema promised.
#include "api/auth_models.h"
#include "api/branch_models.h"
#include "api/commit_models.h"
#include "api/config_models.h"
#include "api/contract.h"
#include "api/json_reader.h"
#include "api/merge_models.h"
#include "api/object_models.h"
#include "api/openapi.h"
#include "api/repository_models.h"
#include "api/retention_models.h"
#include "api/setup_models.h"
#include "api/staging_models.h"
#include "base/bytes.h"
#include "base/error.h"
#include "testing/fuzz.h"

namespace tarn::fuzz {

namespace {

using api::JsonView;

const api::Contract& contract() {
  static const api::Contract kContract(api::openapi_document());
  return kContract;
}

bool is_valid(std::string_view component, JsonView body) {
  const api::Schema* schema = contract().find_schema(component);
  TARN_ASSERT(schema != nullptr);
  return !find_violation(*schema, body);
}

void check_texts(const std::map<std::string, std::string>& texts) {
  for (const auto& [name, value] : texts)
    TARN_ASSERT(is_valid_utf8(name) && is_valid_utf8(value));
}

void check_refs(JsonView body) {
  const auto branch = api::decode_branch_creation(body);
  if (is_valid("BranchCreation", body)) TARN_ASSERT(body.text_of("name") == branch.name);
  const auto tag = api::decode_tag_creation(body);
  if (is_valid("TagCreation", body)) TARN_ASSERT(body.text_of("id") == tag.id);
  static_cast<void>(api::decode_reset_creation(body));
  static_cast<void>(api::decode_revert_creation(body));
  static_cast<void>(api::decode_cherry_pick_creation(body));
  check_texts(api::decode_merge(body).metadata);
}

void check_commits(JsonView body) {
  const auto commit = api::decode_commit_creation(body);
  check_texts(commit.metadata);
  if (is_valid("CommitCreation", body)) TARN_ASSERT(body.text_of("message") == commit.message);
  check_texts(api::decode_commit_record_creation(body).metadata);
}

void check_objects(JsonView body) {
  static_cast<void>(api::decode_object_copy_creation(body));
  check_texts(api::decode_object_stage_creation(body).metadata);
  check_texts(api::decode_staging_metadata(body).user_metadata);
  check_texts(api::decode_complete_presign_multipart_upload(body).user_metadata);
  static_cast<void>(api::decode_copy_part_source(body));
  check_texts(api::decode_update_object_user_metadata(body));
  for (const std::string& path : api::decode_path_list(body))
    TARN_ASSERT(is_valid_utf8(path));
}

void check_repositories(JsonView body) {
  const auto repository = api::decode_repository_creation(body);
  if (is_valid("RepositoryCreation", body)) {
    TARN_ASSERT(body.text_of("name") == repository.name);
  }
  check_texts(api::decode_repository_metadata_set(body));
  static_cast<void>(api::decode_repository_metadata_keys(body));
  static_cast<void>(api::decode_branch_protection_rule(body));
  static_cast<void>(api::decode_branch_protection_rules(body));
  static_cast<void>(api::decode_garbage_collection_rules(body));
}

void check_others(JsonView body) {
  static_cast<void>(api::decode_user_creation(body));
  static_cast<void>(api::decode_login_information(body));
  static_cast<void>(api::decode_stats_events(body));
  static_cast<void>(api::decode_comm_prefs_input(body));
  static_cast<void>(api::decode_setup(body));
}

}  // namespace

void run(std::string_view input) {
  const auto document = api::JsonDocument::parse(input);
  if (!document) return;
  const JsonView body = document->root();
  check_refs(body);
  check_commits(body);
  check_objects(body);
  check_repositories(body);
  check_others(body);
}

}  // namespace tarn::fuzz
