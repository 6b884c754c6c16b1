// Repositories, their metadata and their branch protection rules.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "api/json_reader.h"
#include "api/json_writer.h"

namespace tarn::api {

struct Repository {
  std::string id;
  std::int64_t creation_date = 0;
  std::string default_branch;
  std::string storage_id;
  std::string storage_namespace;
  bool read_only = false;
};

struct RepositoryCreation {
  std::string name, storage_id, storage_namespace, default_branch;
  bool sample_data = false;
  bool read_only = false;
};

struct RepositoryMetadata {
  std::map<std::string, std::string> pairs;
};

struct BranchProtectionRule {
  std::string pattern;
};

void write(JsonWriter& out, const Repository& repository);
void write(JsonWriter& out, const RepositoryMetadata& metadata);
void write(JsonWriter& out, const BranchProtectionRule& rule);
void write(JsonWriter& out, const std::vector<BranchProtectionRule>& rules);

// Decoders take documents that were checked against the contract.
RepositoryCreation decode_repository_creation(JsonView body);
std::map<std::string, std::string> decode_repository_metadata_set(JsonView body);
std::vector<std::string> decode_repository_metadata_keys(JsonView body);
BranchProtectionRule decode_branch_protection_rule(JsonView body);
std::vector<BranchProtectionRule> decode_branch_protection_rules(JsonView body);

}  // namespace tarn::api
