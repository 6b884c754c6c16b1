// Garbage collection rules (lakefs-http-behaviour.md 11.8): kept here, applied by whoever collects.
#include <limits>

#include "api/retention_models.h"
#include "base/error.h"
#include "rest/handlers.h"

namespace tarn::rest {

namespace {

/// The stored form has 32 bits for it.
std::int32_t require_days(std::int64_t days) {
  using Limits = std::numeric_limits<std::int32_t>;
  if (days < Limits::min() || days > Limits::max()) {
    throw Error(ErrorCode::invalid_argument, "retention days: invalid value: validation error");
  }
  return static_cast<std::int32_t>(days);
}

}  // namespace

Task<> get_retention_rules(Call& call) {
  const auto repository = co_await call.repository();
  const auto rules = co_await call.services.catalog.retention_rules(call.ctx, *repository);
  if (!rules) throw Error(ErrorCode::not_found, "not found");
  api::GarbageCollectionRules model{.default_retention_days = rules->default_days};
  for (const auto& [branch, days] : rules->branch_days) {
    model.branches.push_back({.branch_id = branch, .retention_days = days});
  }
  co_await call.reply(200, model);
}

Task<> set_retention_rules(Call& call) {
  const auto wanted = api::decode_garbage_collection_rules(call.body());
  const auto repository = co_await call.repository();
  catalog::RetentionRules rules{.default_days = require_days(wanted.default_retention_days)};
  for (const auto& rule : wanted.branches) {
    rules.branch_days[rule.branch_id] = require_days(rule.retention_days);
  }
  co_await call.services.catalog.set_retention_rules(call.ctx, *repository, std::move(rules));
  co_await call.reply_empty(204);
}

Task<> delete_retention_rules(Call& call) {
  const auto repository = co_await call.repository();
  co_await call.services.catalog.set_retention_rules(call.ctx, *repository, std::nullopt);
  co_await call.reply_empty(204);
}

}  // namespace tarn::rest
