// Pull requests and runs of actions, as far as they are read (lakefs-http-behaviour.md 19, 21.4).
#include <utility>

#include "api/recorded_models.h"
#include "base/error.h"
#include "rest/handlers.h"
#include "rest/models.h"

namespace tarn::rest {

namespace {

std::string_view status_of(catalog::PullRequest::Status status) {
  switch (status) {
    case catalog::PullRequest::Status::open: return "open";
    case catalog::PullRequest::Status::closed: return "closed";
    case catalog::PullRequest::Status::merged: return "merged";
  }
  std::unreachable();
}

std::string time_unless_zero(Timestamp time) {
  return time == Timestamp{} ? std::string() : to_rfc3339(time);
}

api::PullRequest to_model(const catalog::PullRequest& pull) {
  return {.id = pull.id,
          .status = std::string(status_of(pull.status)),
          .title = pull.title,
          .description = pull.description,
          .author = pull.author,
          .source_branch = pull.source_branch,
          .destination_branch = pull.destination_branch,
          .creation_date = to_rfc3339(pull.created_at),
          .closed_date = pull.closed_at ? to_rfc3339(*pull.closed_at) : "",
          .merged_commit_id = pull.merged_commit_id};
}

api::ActionRun to_model(const catalog::ActionRun& run) {
  return {.run_id = run.run_id,
          .branch = run.branch_id,
          .commit_id = run.commit_id,
          .event_type = run.event_type,
          .status = run.passed ? "completed" : "failed",
          .start_time = to_rfc3339(run.started_at),
          .end_time = time_unless_zero(run.ended_at)};
}

api::HookRun to_model(const catalog::HookRun& run) {
  // "skipped" is no status of the contract, but the word that clients show.
  return {.hook_run_id = run.hook_run_id,
          .action = run.action_name,
          .hook_id = run.hook_id,
          .status = run.skipped() ? "skipped"
                    : run.passed  ? "completed"
                                  : "failed",
          .start_time = to_rfc3339(run.started_at),
          .end_time = run.skipped() ? "" : time_unless_zero(run.ended_at)};
}

template <class Model, class Item, class IdOf>
api::PageOf<Model> page_of(const versioning::Page<Item>& page, IdOf id_of) {
  api::PageOf<Model> out;
  for (const Item& item : page.items)
    out.results.push_back(to_model(item));
  out.pagination = paginate(page.items.size(), page.has_more,
                            page.items.empty() ? std::string_view() : id_of(page.items.back()));
  return out;
}

}  // namespace

Task<> list_pull_requests(Call& call) {
  const auto repository = co_await call.repository();
  const std::string& wanted = call.params.text("status");
  std::optional<bool> open;
  if (wanted == "open" || wanted == "closed") open = wanted == "open";
  const auto page =
      co_await call.services.catalog.list_pull_requests(call.ctx, *repository, call.page(), open);
  co_await call.reply(
      200, page_of<api::PullRequest>(page, [](const auto& p) -> std::string_view { return p.id; }));
}

Task<> get_pull_request(Call& call) {
  const auto repository = co_await call.repository();
  const auto pull = co_await call.services.catalog.find_pull_request(
      call.ctx, *repository, call.params.text("pull_request"));
  if (!pull) throw Error(ErrorCode::not_found, "pull request not found");
  co_await call.reply(200, to_model(*pull));
}

Task<> list_runs(Call& call) {
  const auto repository = co_await call.repository();
  catalog::RunFilter filter{.branch = call.params.text("branch"),
                            .commit = call.params.text("commit")};
  if (!filter.branch.empty() && !filter.commit.empty()) {
    throw Error(ErrorCode::invalid_argument,
                "can't use both branchID and MergedCommitID: parameters conflict");
  }
  const auto page = co_await call.services.catalog.list_runs(call.ctx, *repository, call.page(),
                                                             std::move(filter));
  co_await call.reply(200, page_of<api::ActionRun>(
                               page, [](const auto& r) -> std::string_view { return r.run_id; }));
}

Task<> get_run(Call& call) {
  const auto repository = co_await call.repository();
  const auto run =
      co_await call.services.catalog.find_run(call.ctx, *repository, call.params.text("run_id"));
  if (!run) throw Error(ErrorCode::not_found, "not found: not found");
  co_await call.reply(200, to_model(*run));
}

Task<> list_run_hooks(Call& call) {
  const auto repository = co_await call.repository();
  const auto page = co_await call.services.catalog.list_hook_runs(
      call.ctx, *repository, call.params.text("run_id"), call.page());
  co_await call.reply(200, page_of<api::HookRun>(page, [](const auto& r) -> std::string_view {
                        return r.hook_run_id;
                      }));
}

Task<> get_run_hook_output(Call& call) {
  const auto repository = co_await call.repository();
  const std::string& hook = call.params.text("hook_run_id");
  auto output = co_await call.services.catalog.hook_output(call.ctx, *repository,
                                                           call.params.text("run_id"), hook);
  if (!output) throw Error(ErrorCode::not_found, "not found");
  co_await call.reply_file(hook + ".log", *std::move(output));
}

}  // namespace tarn::rest
