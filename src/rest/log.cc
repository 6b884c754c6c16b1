// History of a ref (lakefs-http-behaviour.md 14.1).
#include "base/error.h"
#include "rest/handlers.h"
#include "rest/models.h"

namespace tarn::rest {

namespace {

/// The commit `ref` names; nullopt for "". A failure says which parameter it was.
Task<std::optional<CommitId>> commit_of(Call& call, const versioning::Repository& repository,
                                        std::string ref, std::string_view what) {
  if (ref.empty()) co_return std::nullopt;
  try {
    const auto resolved = co_await call.services.engine.resolve(call.ctx, repository, ref);
    if (resolved.dollar) {
      throw Error(ErrorCode::invalid_argument,
                  "ref: invalid value: validation error: should point to a commit");
    }
    co_return resolved.commit_id;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::not_found && error.code() != ErrorCode::invalid_argument) throw;
    throw Error(error.code(), std::string(what).append(": ").append(error.message()));
  }
}

/// As to_page() and to_json() give it, without a model of each commit in between.
std::string written(const versioning::Page<versioning::CommitPtr>& page) {
  api::PageWriter out(page.items.size());
  std::vector<std::string_view> parents;
  for (const versioning::CommitPtr& item : page.items) {
    const versioning::Commit& commit = *item;
    parents.clear();
    for (const CommitId& parent : commit.parents)
      parents.push_back(parent.str());
    out.add(api::CommitView{.id = commit.id.str(),
                            .parents = parents,
                            .committer = commit.committer,
                            .message = commit.message,
                            .creation_date = commit.creation_date.seconds,
                            .meta_range_id = commit.meta_range_id,
                            .metadata = commit.metadata,
                            .generation = commit.generation,
                            .version = commit.version});
  }
  return out.finish(page.has_more,
                    page.items.empty() ? std::string_view() : page.items.back()->id.str());
}

}  // namespace

Task<> log_commits(Call& call) {
  const auto repository = co_await call.repository();
  require_ref(call.params.text("ref"));
  const bool limit = call.params.flag("limit");
  versioning::LogParams params{.amount = call.amount(),
                               .first_parent = call.params.flag("first_parent"),
                               .objects = call.params.list("objects"),
                               .prefixes = call.params.list("prefixes"),
                               .limit = limit};
  // In this order, so that of several bad references the same one is named as by the reference.
  co_await commit_of(call, *repository, call.params.text("ref"), "ref");
  params.stop_at = co_await commit_of(call, *repository, call.params.text("stop_at"), "stop_at");
  params.after = co_await commit_of(call, *repository, call.params.text("after"), "from ref");
  if (const auto since = parse_rfc3339(call.params.text("since"))) params.since = *since;
  auto page = co_await call.services.engine.log(call.ctx, *repository, call.params.text("ref"),
                                                std::move(params));
  page.has_more = page.has_more && !limit;
  co_await call.reply_json(200, written(page));
}

}  // namespace tarn::rest
