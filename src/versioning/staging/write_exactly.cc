// Writes that happen only while the branch is what we think it is. What lies below its current
// token is what it was when we looked for as long as its record is: sealed tokens are not written
// into.
#include <utility>

#include "versioning/staging/write_path_impl.h"

namespace tarn::versioning {
namespace {

std::vector<kv::Op> tied(std::vector<kv::Op> writes, const BranchAddress& at,
                         const BranchHint& hint) {
  for (kv::Op& write : writes)
    write = tied(std::move(write), at, hint);
  return writes;
}

/// What `change` makes of nothing; nullopt: it refuses, maybe because of what is not so.
std::optional<Value> changed_from_nothing(const WritePath::Change& change) {
  try {
    return change(std::nullopt);
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace

Task<> WritePath::Impl::set_exactly(Context& ctx, const BranchAddress& at, const std::string& name,
                                    const std::string& record, BranchHint hint, bool hinted) {
  for (Moves left = moves();;) {
    std::vector<kv::Op> ops;
    ops.push_back(tied(kv::Op::set(hint.token, name, record), at, hint));
    const auto results = co_await kv.run(ctx, std::move(ops));
    if (results.front().stored) co_return;
    // An outdated hint is not the branch being busy.
    if (!std::exchange(hinted, false)) left.count();
    hint = co_await read_hint(ctx, at);
  }
}

Task<bool> WritePath::Impl::create_at_once(Context& ctx, const Repository& repository,
                                           const BranchAddress& at, const std::string& name,
                                           const Change& change) {
  const auto hint = tokens.find(at.text());
  if (!hint) co_return false;
  const Branch branch = decode_branch(hint->stored);
  if (!branch.sealed_tokens.empty()) co_return false;
  const std::vector<std::string> keys{name};
  if ((co_await read_committed(ctx, repository, branch.commit_id, keys)).at(0)) co_return false;
  const std::optional<Value> value = changed_from_nothing(change);
  if (!value) co_return false;
  std::vector<kv::Op> ops;
  ops.push_back(
      tied(kv::Op::set_if(hint->token, name, encode_staged(name, value->identity, value->data),
                          kv::Expect::absent()),
           at, *hint));
  const auto results = co_await kv.run(ctx, std::move(ops));
  co_return results.front().stored;
}

Task<> WritePath::Impl::update_exactly(Context& ctx, const Repository& repository,
                                       const BranchAddress& at, const std::string& name,
                                       const Change& change) {
  if (co_await create_at_once(ctx, repository, at, name, change)) co_return;
  const std::size_t races_max = std::max<std::size_t>(config.race_tries, 1);
  std::optional<std::string> tried;  // the branch's record at the last try
  Moves left = moves();
  for (std::size_t races = 0, tries = 0;; ++tries) {
    if (tries > 0) co_await back_off(ctx, tries);
    auto seen = co_await look(ctx, repository, at, name);
    if (tried && seen && seen->stored != *tried) {
      left.count();
    } else if ((tried || !seen) && ++races == races_max) {
      break;
    }
    if (!seen) continue;
    // What is below the current token stays what it is for as long as the branch's record does.
    const Value value = change(seen->value);
    auto expect =
        seen->current ? kv::Expect::value(*std::move(seen->current)) : kv::Expect::absent();
    const BranchHint hint{seen->branch.staging_token, std::move(seen->stored)};
    std::vector<kv::Op> ops;
    ops.push_back(
        tied(kv::Op::set_if(hint.token, name, encode_staged(name, value.identity, value.data),
                            std::move(expect)),
             at, hint));
    const auto results = co_await kv.run(ctx, std::move(ops));
    if (results.front().stored) co_return;
    tried = hint.stored;
  }
  throw Error(ErrorCode::precondition_failed, "precondition failed");
}

Task<> WritePath::Impl::remove_exactly(Context& ctx, const Repository& repository,
                                       const BranchAddress& at, std::vector<std::string> keys,
                                       DeleteForm form) {
  auto hint = tokens.find(at.text());
  bool hinted = hint.has_value();
  if (!hint) hint = co_await read_hint(ctx, at);
  for (Moves left = moves();;) {
    RemovePlan plan =
        co_await plan_removal(ctx, repository, decode_branch(hint->stored), keys, form);
    if (form == DeleteForm::tombstone) {
      for (const std::string& key : plan.rest)
        plan.ops.push_back(bury_op(hint->token, key));
    }
    std::vector<kv::Op> ops = tied(std::move(plan.ops), at, *hint);
    const auto results = co_await kv.run(ctx, ops);
    bool moved = false;
    keys.clear();
    for (std::size_t i = 0; i < ops.size(); ++i) {
      if (results[i].stored) continue;
      moved = moved || !ops[i].expect;  // or nothing was there
      keys.push_back(std::move(ops[i].address.key));
    }
    if (keys.empty()) co_return;
    BranchHint now = co_await read_hint(ctx, at);
    // Tokens are never used again, so that nothing has happened to the branch in between.
    if (!moved && now.stored == hint->stored) co_return;
    if (!std::exchange(hinted, false)) left.count();
    std::ranges::sort(keys);
    hint = std::move(now);
  }
}

Task<> WritePath::Impl::write_exactly(Context& ctx, const BranchAddress& at, const Plan& plan) {
  for (Moves left = moves();; left.count()) {
    const BranchHint hint = co_await read_hint(ctx, at);
    const Branch branch = decode_branch(hint.stored);
    std::vector<kv::Op> ops = co_await plan(branch);
    if (ops.empty()) co_return;
    // Steps that happened although others did not are in a token that was open then, where the
    // commit that sealed it sees them.
    if (all_stored(co_await kv.run(ctx, tied(std::move(ops), at, hint)))) co_return;
  }
}

}  // namespace tarn::versioning
