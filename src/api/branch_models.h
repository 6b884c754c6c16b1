// Branches and tags: refs, and what makes, resets and reverts them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "api/json_reader.h"
#include "api/json_writer.h"

namespace tarn::api {

/// A branch or a tag.
struct Ref {
  std::string id;
  std::string commit_id;
};

struct BranchCreation {
  std::string name, source;
  bool force = false;
  bool hidden = false;
};

struct TagCreation {
  std::string id, ref;
  bool force = false;
};

struct ResetCreation {
  std::string type;  // "object", "common_prefix" or "reset"
  std::string path;
  bool force = false;
};

struct CommitOverrides {
  std::optional<std::string> message;
  std::optional<std::map<std::string, std::string>> metadata;
};

struct RevertCreation {
  std::string ref;
  std::int64_t parent_number = 0;
  CommitOverrides commit_overrides;
  bool force = false;
  bool allow_empty = false;
};

struct CherryPickCreation {
  std::string ref;
  std::optional<std::int64_t> parent_number;
  CommitOverrides commit_overrides;
  bool force = false;
};

void write(JsonWriter& out, const Ref& ref);

BranchCreation decode_branch_creation(JsonView body);
TagCreation decode_tag_creation(JsonView body);
ResetCreation decode_reset_creation(JsonView body);
RevertCreation decode_revert_creation(JsonView body);
CherryPickCreation decode_cherry_pick_creation(JsonView body);

}  // namespace tarn::api
