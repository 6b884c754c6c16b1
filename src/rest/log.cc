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
  co_await call.reply(
      200, to_page(page, [](const auto& item) -> std::string_view { return item.id.str(); }));
}

}  // namespace tarn::rest
