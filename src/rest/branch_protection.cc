// Branch protection rules (lakefs-http-behaviour.md 11.7).
#include "api/repository_models.h"
#include "base/error.h"
#include "rest/handlers.h"

namespace tarn::rest {

namespace {

constexpr int kUpdateTries = 10;

/// Every rule blocks both.
std::vector<versioning::BlockedAction> all_actions() {
  return {versioning::BlockedAction::staging_write, versioning::BlockedAction::commit};
}

/// Reads the rules, changes them, and stores them unless somebody else did meanwhile. `change`
/// returns false when nothing is to be stored; so does this.
template <class Change>
Task<bool> update_rules(Call& call, Change change) {
  const auto repository = co_await call.repository();
  for (int tries = 0; tries < kUpdateTries; ++tries) {
    auto stored = co_await call.services.engine.protection_rules(call.ctx, *repository);
    if (!change(stored.rules)) co_return false;
    try {
      co_await call.services.engine.set_protection_rules(call.ctx, *repository,
                                                         std::move(stored.rules), stored.checksum);
      co_return true;
    } catch (const Error& error) {
      if (error.code() != ErrorCode::precondition_failed) throw;
    }
  }
  throw Error(ErrorCode::too_many_tries, "update branch protection: too many tries");
}

}  // namespace

Task<> get_branch_protection_rules(Call& call) {
  const auto repository = co_await call.repository();
  const auto stored = co_await call.services.engine.protection_rules(call.ctx, *repository);
  std::vector<api::BranchProtectionRule> rules;
  for (const auto& [pattern, actions] : stored.rules.rules)
    rules.push_back({.pattern = pattern});
  // Not quoted, and there even when it is empty: clients echo it.
  call.response.add_header("ETag", stored.checksum);
  co_await call.reply(200, rules);
}

Task<> set_branch_protection_rules(Call& call) {
  const auto repository = co_await call.repository();
  versioning::ProtectionRules rules;
  for (auto& rule : api::decode_branch_protection_rules(call.body())) {
    rules.rules[std::move(rule.pattern)] = all_actions();
  }
  std::optional<std::string> if_match;
  if (call.params.has("If-Match")) if_match = call.params.text("If-Match");
  co_await call.services.engine.set_protection_rules(call.ctx, *repository, std::move(rules),
                                                     std::move(if_match));
  co_await call.reply_empty(204);
}

Task<> add_branch_protection_rule(Call& call) {
  const auto rule = api::decode_branch_protection_rule(call.body());
  co_await update_rules(call, [&](versioning::ProtectionRules& rules) {
    rules.rules[rule.pattern] = all_actions();
    return true;
  });
  co_await call.reply_empty(204);
}

Task<> remove_branch_protection_rule(Call& call) {
  const auto rule = api::decode_branch_protection_rule(call.body());
  const bool removed = co_await update_rules(call, [&](versioning::ProtectionRules& rules) {
    return rules.rules.erase(rule.pattern) > 0;
  });
  co_await call.reply_empty(removed ? 204 : 404);
}

}  // namespace tarn::rest
