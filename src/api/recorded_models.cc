#include "api/recorded_models.h"

namespace tarn::api {

namespace {

void member_unless_empty(JsonWriter& out, std::string_view name, const std::string& text) {
  if (!text.empty()) out.member(name, text);
}

}  // namespace

void write(JsonWriter& out, const PullRequest& pull) {
  out.begin_object();
  out.member("status", pull.status);
  out.member("title", pull.title);
  out.member("description", pull.description);
  out.member("id", pull.id);
  out.member("creation_date", pull.creation_date);
  out.member("author", pull.author);
  out.member("source_branch", pull.source_branch);
  out.member("destination_branch", pull.destination_branch);
  member_unless_empty(out, "merged_commit_id", pull.merged_commit_id);
  member_unless_empty(out, "closed_date", pull.closed_date);
  out.end_object();
}

void write(JsonWriter& out, const ActionRun& run) {
  out.begin_object();
  out.member("run_id", run.run_id);
  out.member("branch", run.branch);
  out.member("start_time", run.start_time);
  member_unless_empty(out, "end_time", run.end_time);
  out.member("event_type", run.event_type);
  out.member("status", run.status);
  out.member("commit_id", run.commit_id);
  out.end_object();
}

void write(JsonWriter& out, const HookRun& run) {
  out.begin_object();
  out.member("hook_run_id", run.hook_run_id);
  out.member("action", run.action);
  out.member("hook_id", run.hook_id);
  out.member("start_time", run.start_time);
  member_unless_empty(out, "end_time", run.end_time);
  out.member("status", run.status);
  out.end_object();
}

}  // namespace tarn::api
