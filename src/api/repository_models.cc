#include "api/repository_models.h"

namespace tarn::api {

void write(JsonWriter& out, const Repository& repository) {
  out.begin_object();
  out.member("id", repository.id);
  out.member("creation_date", repository.creation_date);
  out.member("default_branch", repository.default_branch);
  out.member("storage_id", repository.storage_id);
  out.member("storage_namespace", repository.storage_namespace);
  out.member("read_only", repository.read_only);
  out.end_object();
}

void write(JsonWriter& out, const RepositoryMetadata& metadata) {
  out.value(metadata.pairs);
}

void write(JsonWriter& out, const BranchProtectionRule& rule) {
  out.begin_object();
  out.member("pattern", rule.pattern);
  out.end_object();
}

void write(JsonWriter& out, const std::vector<BranchProtectionRule>& rules) {
  out.begin_array();
  for (const BranchProtectionRule& rule : rules)
    write(out, rule);
  out.end_array();
}

RepositoryCreation decode_repository_creation(JsonView body) {
  return {.name = body.text_of("name").value_or(""),
          .storage_id = body.text_of("storage_id").value_or(""),
          .storage_namespace = body.text_of("storage_namespace").value_or(""),
          .default_branch = body.text_of("default_branch").value_or(""),
          .sample_data = body.flag_of("sample_data"),
          .read_only = body.flag_of("read_only")};
}

std::map<std::string, std::string> decode_repository_metadata_set(JsonView body) {
  return body.map_of("metadata").value_or(std::map<std::string, std::string>());
}

std::vector<std::string> decode_repository_metadata_keys(JsonView body) {
  return body.texts_of("keys");
}

BranchProtectionRule decode_branch_protection_rule(JsonView body) {
  return {.pattern = body.text_of("pattern").value_or("")};
}

std::vector<BranchProtectionRule> decode_branch_protection_rules(JsonView body) {
  std::vector<BranchProtectionRule> rules;
  for (const JsonView item : body.items())
    rules.push_back(decode_branch_protection_rule(item));
  return rules;
}

}  // namespace tarn::api
