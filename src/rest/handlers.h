// The handlers of operations.cc, each in the file of its resource. All alike: the caller is
// authorised and the request checked; decode, call the catalog or the engine once, encode.
#pragma once

#include "base/task.h"
#include "rest/call.h"

namespace tarn::rest {

Task<> setup_comm_prefs(Call& call);
Task<> get_setup_state(Call& call);
Task<> set_up(Call& call);
Task<> get_current_user(Call& call);
Task<> log_in(Call& call);
Task<> get_auth_capabilities(Call& call);
Task<> list_users(Call& call);
Task<> create_user(Call& call);
Task<> get_user(Call& call);
Task<> delete_user(Call& call);
Task<> list_user_credentials(Call& call);
Task<> create_credentials(Call& call);
Task<> get_credentials(Call& call);
Task<> delete_credentials(Call& call);
Task<> list_repositories(Call& call);
Task<> create_repository(Call& call);
Task<> get_repository(Call& call);
Task<> delete_repository(Call& call);
Task<> get_repository_metadata(Call& call);
Task<> set_repository_metadata(Call& call);
Task<> delete_repository_metadata(Call& call);
Task<> get_branch_protection_rules(Call& call);
Task<> set_branch_protection_rules(Call& call);
Task<> get_retention_rules(Call& call);
Task<> set_retention_rules(Call& call);
Task<> list_pull_requests(Call& call);
Task<> get_pull_request(Call& call);
Task<> list_runs(Call& call);
Task<> get_run(Call& call);
Task<> list_run_hooks(Call& call);
Task<> get_run_hook_output(Call& call);
Task<> delete_retention_rules(Call& call);
Task<> list_tags(Call& call);
Task<> create_tag(Call& call);
Task<> get_tag(Call& call);
Task<> delete_tag(Call& call);
Task<> list_branches(Call& call);
Task<> create_branch(Call& call);
Task<> log_commits(Call& call);
Task<> make_commit(Call& call);
Task<> create_commit_record(Call& call);
Task<> get_branch(Call& call);
Task<> reset_branch(Call& call);
Task<> delete_branch(Call& call);
Task<> hard_reset_branch(Call& call);
Task<> revert_branch(Call& call);
Task<> cherry_pick(Call& call);
Task<> find_merge_base(Call& call);
Task<> merge_into_branch(Call& call);
Task<> diff_branch(Call& call);
Task<> diff_refs(Call& call);
Task<> get_commit(Call& call);
Task<> get_object(Call& call);
Task<> head_object(Call& call);
Task<> create_presigned_upload(Call& call);
Task<> complete_presigned_upload(Call& call);
Task<> abort_presigned_upload(Call& call);
Task<> presign_part(Call& call);
Task<> copy_presigned_part(Call& call);
Task<> get_physical_address(Call& call);
Task<> link_physical_address(Call& call);
Task<> confirm(Call& call);
Task<> stage_object(Call& call);
Task<> upload_object(Call& call);
Task<> delete_object(Call& call);
Task<> delete_objects(Call& call);
Task<> copy_object(Call& call);
Task<> stat_object(Call& call);
Task<> update_object_user_metadata(Call& call);
Task<> get_underlying_properties(Call& call);
Task<> list_objects(Call& call);
Task<> add_branch_protection_rule(Call& call);
Task<> remove_branch_protection_rule(Call& call);
Task<> health_check(Call& call);
Task<> get_config(Call& call);
Task<> get_version(Call& call);
Task<> get_storage_config(Call& call);
Task<> get_garbage_collection_config(Call& call);
Task<> post_stats_events(Call& call);
Task<> get_usage_report_summary(Call& call);

}  // namespace tarn::rest
