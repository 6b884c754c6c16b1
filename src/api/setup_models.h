// First-run set-up.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "api/json_reader.h"
#include "api/json_writer.h"

namespace tarn::api {

struct SetupState {
  bool initialized = false;
  bool comm_prefs_missing = false;
  std::string rbac = "none";
};

/// Contact preferences; part of Setup, too.
struct CommPrefsInput {
  std::string email, first_name, last_name, company_name;
  bool feature_updates = false;
  bool security_updates = false;
};

struct Setup {
  std::string username;
  std::optional<std::pair<std::string, std::string>> key;  // access key id, secret
  CommPrefsInput prefs;
};

void write(JsonWriter& out, const SetupState& state);

CommPrefsInput decode_comm_prefs_input(JsonView body);
Setup decode_setup(JsonView body);

}  // namespace tarn::api
