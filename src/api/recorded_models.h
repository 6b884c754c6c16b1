// Pull requests and runs of actions.
#pragma once

#include <string>

#include "api/json_writer.h"

namespace tarn::api {

struct PullRequest {
  std::string id, status, title, description, author, source_branch, destination_branch;
  std::string creation_date;
  std::string closed_date, merged_commit_id;  // left out when empty
};

struct ActionRun {
  std::string run_id, branch, commit_id, event_type, status, start_time;
  std::string end_time;  // left out when empty
};

struct HookRun {
  std::string hook_run_id, action, hook_id, status, start_time;
  std::string end_time;  // left out when empty
};

void write(JsonWriter& out, const PullRequest& pull);
void write(JsonWriter& out, const ActionRun& run);
void write(JsonWriter& out, const HookRun& run);

}  // namespace tarn::api
