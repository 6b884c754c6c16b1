// Writes after which the branch is read again, for stores that cannot tie them to its record, or
// not exactly.
#include <algorithm>
#include <set>
#include <utility>

#include "versioning/staging/write_path_impl.h"

namespace tarn::versioning {
namespace {

/// A record we wrote into `token` because an outdated hint said so. Nobody will ever read or clean
/// up a token the branch has dropped, so what lies there would lie there for ever.
bool is_dropped(const std::string& token, const Branch& branch) {
  return token != branch.staging_token &&
         std::ranges::find(branch.sealed_tokens, token) == branch.sealed_tokens.end();
}

/// One try to stage `record`: into the token of `hint`, while the branch is what `hint` says where
/// the store can tell. Once a try has `landed` in a token that moved, a record that is in the new
/// one already is newer than ours and stays.
kv::Op staging_step(const BranchHint& hint, const BranchAddress& at, const std::string& name,
                    const std::string& record, bool guarded, bool landed) {
  if (landed) return kv::Op::set_if(hint.token, name, record, kv::Expect::absent());
  kv::Op write = kv::Op::set(hint.token, name, record);
  return guarded ? tied(std::move(write), at, hint) : write;
}

/// The usual delete is of something just uploaded.
std::vector<kv::Op> first_removals(const std::string& token, const std::vector<std::string>& keys,
                                   WritePath::DeleteForm form, bool whatever_is_there) {
  std::vector<kv::Op> ops;
  for (const std::string& key : keys) {
    if (whatever_is_there) {
      ops.push_back(tombstone_op(token, key));
    } else if (form == WritePath::DeleteForm::tombstone) {
      ops.push_back(bury_op(token, key));
    }
  }
  return ops;
}

/// Aims the steps of `old_ops` on keys that `ops` does not touch at another token.
void carry_over(std::vector<kv::Op>& ops, std::vector<kv::Op> old_ops, const std::string& old_token,
                const std::string& new_token) {
  std::set<std::string> touched;
  for (const kv::Op& op : ops)
    touched.insert(op.address.key);
  for (kv::Op& op : old_ops) {
    if (op.address.partition != old_token || touched.contains(op.address.key)) continue;
    op.address.partition = new_token;
    ops.push_back(std::move(op));
  }
}

}  // namespace

Task<> WritePath::Impl::set_and_look(Context& ctx, const Repository& repository,
                                     const BranchAddress& at, const std::string& name,
                                     const Value& value, BranchHint hint, bool hinted) {
  const std::string record = encode_staged(name, value.identity, value.data);
  const bool guarded = kv.guard() != kv::Guard::none;
  std::string landed;  // the token our record lies in, though it was sealed when it came there
  for (Moves left = moves();;) {
    std::vector<kv::Op> ops;
    ops.push_back(staging_step(hint, at, name, record, guarded, !landed.empty()));
    ops.push_back(at.get_op());
    const auto results = co_await kv.run(ctx, std::move(ops));
    const bool stored = results.front().stored;
    const auto& found = results.back().found;
    if (!found && stored) co_await kv.erase(ctx, hint.token, name);
    const Branch now = remember(at, found);
    // Whoever wrote the key after the token moved, while we were on our way, came after us.
    if (now.staging_token == hint.token && (stored || !landed.empty())) co_return;
    const bool dropped = stored && is_dropped(hint.token, now);
    if (dropped) co_await kv.erase(ctx, hint.token, name);
    // The key was free because a commit has emptied the token: what it took along may be newer.
    if (dropped && !landed.empty()) {
      throw Error(ErrorCode::unavailable, "the branch was committed while the object was staged");
    }
    if (stored) landed = hint.token;
    if (!landed.empty() && co_await is_done(ctx, repository, now, name, value, landed)) co_return;
    // An outdated hint is not the branch being busy.
    if (!std::exchange(hinted, false)) left.count();
    hint = {now.staging_token, *found};
  }
}

Task<bool> WritePath::Impl::is_done(Context& ctx, const Repository& repository,
                                    const Branch& branch, const std::string& name,
                                    const Value& value, const std::string& landed) {
  const std::vector<std::string>& sealed = branch.sealed_tokens;  // the newest first
  const auto ours = std::ranges::find(sealed, landed);
  const std::vector<std::string> newer(sealed.begin(), ours);
  if (co_await staging.get_first(ctx, newer, name)) co_return true;
  if (ours != sealed.end()) co_return false;  // visible, but the commit may not have seen it
  const std::vector<std::string> keys{name};
  const auto committed = co_await read_committed(ctx, repository, branch.commit_id, keys);
  co_return committed.at(0) && committed.at(0)->identity == value.identity;
}

Task<> WritePath::Impl::update_and_look(Context& ctx, const Repository& repository,
                                        const BranchAddress& at, const std::string& name,
                                        const Change& change) {
  std::optional<Value> landed;  // what we wrote into a token that was no longer current
  Moves left = moves();
  for (std::size_t races = 0; races < std::max<std::size_t>(config.race_tries, 1);) {
    auto seen = co_await look(ctx, repository, at, name);
    bool lost = !seen;
    if (seen) {
      const bool ours = landed && seen->value == landed;
      // Our write took effect if the commit took it along, or if others have replaced it since.
      if (landed && ours != seen->staged) co_return;
      Value value = ours ? *landed : change(seen->value);
      auto expect =
          seen->current ? kv::Expect::value(*std::move(seen->current)) : kv::Expect::absent();
      const std::string& token = seen->branch.staging_token;
      std::vector<kv::Op> ops;
      ops.push_back(kv::Op::set_if(token, name, encode_staged(name, value.identity, value.data),
                                   std::move(expect)));
      std::vector<kv::OpResult> results;
      const Branch now = co_await run_and_look(ctx, at, std::move(ops), results);
      lost = !results.front().stored;
      if (!lost) {
        if (now.staging_token == token) co_return;
        if (is_dropped(token, now)) co_await kv.erase(ctx, token, name);
        left.count();
        landed = std::move(value);
      }
    }
    if (lost) co_await back_off(ctx, ++races);
  }
  throw Error(ErrorCode::precondition_failed, "precondition failed");
}

Task<> WritePath::Impl::remove_and_look(Context& ctx, const Repository& repository,
                                        const BranchAddress& at,
                                        const std::vector<std::string>& keys, DeleteForm form) {
  std::string token = sole_writer() ? hinted_token(at) : std::string();  // as in set()
  bool hinted = !token.empty();
  if (!hinted) token = (co_await read_branch(ctx, at)).staging_token;
  // Once we may have written into a token that then moved, what lies there may be our own work and
  // tells nothing about what a commit has read from it: from then on a tombstone goes in whatever
  // is there.
  bool touched = false;
  for (Moves left = moves();;) {
    std::vector<kv::OpResult> results;
    Branch branch =
        co_await run_and_look(ctx, at, first_removals(token, keys, form, touched), results);
    bool done = branch.staging_token == token;
    for (const kv::OpResult& result : results)
      touched = touched || result.stored;
    if (done && !results.empty() && all_stored(results)) co_return;
    if (done) {
      std::vector<std::string> missing;
      for (std::size_t i = 0; i < keys.size(); ++i) {
        if (results.empty() || !results[i].stored) missing.push_back(keys[i]);
      }
      RemovePlan plan = co_await plan_removal(ctx, repository, branch, missing, form);
      touched = touched || !plan.ops.empty();
      const Branch now = co_await run_and_look(ctx, at, std::move(plan.ops), results);
      done = now.staging_token == token && (!plan.depends_on_state() || same_state(now, branch));
      hinted = false;
      branch = now;
    }
    if (done) co_return;
    if (!std::exchange(hinted, false)) left.count();
    token = branch.staging_token;
  }
}

Task<> WritePath::Impl::write_and_look(Context& ctx, const BranchAddress& at, const Plan& plan) {
  Branch before = co_await read_branch(ctx, at);
  std::vector<kv::Op> ops = co_await plan(before);
  for (Moves left = moves(); !ops.empty();) {
    std::vector<kv::OpResult> results;
    const Branch now = co_await run_and_look(ctx, at, ops, results);
    if (now.staging_token == before.staging_token) co_return;
    left.count();
    // The plan may find our own work in the token that moved and think it done; a commit may have
    // read that token before.
    std::vector<kv::Op> old_ops = std::exchange(ops, co_await plan(now));
    carry_over(ops, std::move(old_ops), before.staging_token, now.staging_token);
    before = now;
  }
}

}  // namespace tarn::versioning
