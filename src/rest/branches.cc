// Branches (lakefs-http-behaviour.md 12).
#include "base/error.h"
#include "base/format.h"
#include "rest/handlers.h"
#include "rest/models.h"

namespace tarn::rest {

namespace {

BranchId require_new_branch(std::string_view name) {
  if (name.empty()) {
    throw Error(ErrorCode::invalid_argument, "argument branch: required value: validation error");
  }
  auto id = BranchId::parse(name);
  if (!id) {
    throw Error(ErrorCode::invalid_argument,
                "argument branch: branch id: invalid value: validation error: branch id must "
                "consist of letters, digits, underscores and dashes, and cannot start with a dash");
  }
  return *std::move(id);
}

}  // namespace

Task<> list_branches(Call& call) {
  const auto repository = co_await call.repository();
  const auto page = co_await call.services.engine.list_branches(call.ctx, *repository, call.page(),
                                                                call.params.flag("show_hidden"));
  co_await call.reply(
      200, to_page(page, [](const auto& item) -> std::string_view { return item.id.str(); }));
}

Task<> create_branch(Call& call) {
  const auto creation = api::decode_branch_creation(call.body());
  const auto repository = co_await call.repository();
  const BranchId id = require_new_branch(creation.name);
  if (creation.source.empty()) {
    throw Error(ErrorCode::invalid_argument, "argument ref: required value: validation error");
  }
  const auto branch = co_await call.services.engine.create_branch(
      call.ctx, *repository, id, creation.source, creation.hidden, creation.force);
  co_await call.reply_text(201, branch.commit_id.str());
}

Task<> get_branch(Call& call) {
  const auto repository = co_await call.repository();
  const BranchId id = call.branch();
  co_await call.reply(
      200, to_model(co_await call.services.engine.get_branch(call.ctx, *repository, id)));
}

Task<> delete_branch(Call& call) {
  const auto repository = co_await call.repository();
  const BranchId id = require_branch(call.params.text("branch"), "argument name");
  co_await call.services.engine.delete_branch(call.ctx, *repository, id, call.params.flag("force"));
  co_await call.reply_empty(204);
}

Task<> reset_branch(Call& call) {
  const auto reset = api::decode_reset_creation(call.body());
  const auto repository = co_await call.repository();
  const BranchId id = call.branch();
  const versioning::WriteOptions options{.force = reset.force};
  versioning::Engine& engine = call.services.engine;
  if (reset.type == "object") {
    if (reset.path.empty()) {
      throw Error(ErrorCode::invalid_argument,
                  "argument path: missing path: required value: validation error");
    }
    if (reset.path.size() > catalog::kPathBytesMax) {
      throw Error(ErrorCode::invalid_argument,
                  format("argument path: invalid value: validation error: {} is above maximum "
                         "length ({})",
                         reset.path.size(), catalog::kPathBytesMax));
    }
    try {
      co_await engine.reset_key(call.ctx, *repository, id, reset.path, options);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::branch_not_found) throw;
      throw Error(error.code(), "getting branch: branch not found");
    }
  } else if (reset.type == "common_prefix" && !reset.path.empty()) {
    co_await engine.reset_prefix(call.ctx, *repository, id, reset.path, options);
  } else {
    co_await engine.reset_branch(call.ctx, *repository, id, options);
  }
  co_await call.reply_empty(204);
}

Task<> hard_reset_branch(Call& call) {
  const auto repository = co_await call.repository();
  const BranchId id = call.branch();
  const versioning::WriteOptions options{.force = call.params.flag("force")};
  co_await call.services.engine.hard_reset(call.ctx, *repository, id, call.params.text("ref"),
                                           options);
  co_await call.reply_empty(204);
}

}  // namespace tarn::rest
