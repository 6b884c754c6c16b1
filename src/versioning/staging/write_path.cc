#include "versioning/staging/write_path.h"

#include <algorithm>
#include <set>
#include <utility>

#include "io/sync.h"
#include "versioning/refs/keys.h"
#include "versioning/refs/record_codec.h"
#include "versioning/staging/staged_codec.h"
#include "versioning/staging/token_cache.h"

namespace tarn::versioning {
namespace {

constexpr std::size_t kKeySizeMax = 1'024;
constexpr std::ptrdiff_t kRemoveKeys = 1'000;  // in one run of the store
constexpr std::chrono::milliseconds kRaceBackoffMax{50};

/// Where the branch's record is.
struct BranchAddress {
  std::string partition;
  std::string key;

  std::string text() const { return partition + '/' + key; }

  kv::Op get_op() const { return kv::Op::get(partition, key); }
};

/// A branch whose state decides what may be concluded from records read one after the other.
bool same_state(const Branch& a, const Branch& b) {
  return a.staging_token == b.staging_token && a.commit_id == b.commit_id &&
         a.sealed_tokens == b.sealed_tokens;
}

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
  if (!guarded) return kv::Op::set(hint.token, name, record);
  return kv::Op::only_while(kv::Op::set(hint.token, name, record), {at.partition, at.key},
                            hint.stored);
}

/// The usual delete is of something just uploaded: a tombstone over the record if there is one.
std::vector<kv::Op> first_removals(const std::string& token, const std::vector<std::string>& keys,
                                   WritePath::DeleteForm form, bool whatever_is_there) {
  std::vector<kv::Op> ops;
  for (const std::string& key : keys) {
    if (whatever_is_there) {
      ops.push_back(tombstone_op(token, key));
    } else if (form == WritePath::DeleteForm::tombstone) {
      ops.push_back(kv::Op::set_if(token, key, encode_tombstone(key), kv::Expect::present()));
    }
  }
  return ops;
}

bool all_stored(const std::vector<kv::OpResult>& results) {
  return std::ranges::all_of(results, [](const kv::OpResult& result) { return result.stored; });
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

struct WritePath::Impl {
  /// Counts how often the token moved under a write.
  struct Moves {
    std::size_t left;

    void count() {
      if (--left == 0) throw Error(ErrorCode::too_many_tries, "too many tries");
    }
  };

  /// What update() decides on.
  struct Seen {
    Branch branch;
    std::optional<std::string> current;  // stored in the current token
    std::optional<Value> value;          // what is visible
    bool staged = false;                 // a staged record decided, not the commit
  };

  /// Steps that make one try of remove(), and whether they hold whatever else the branch became.
  struct RemovePlan {
    std::vector<kv::Op> ops;
    bool depends_on_state = false;
  };

  Impl(kv::Store& store, ReadCommitted read, WritePathConfig c)
      : kv(store),
        staging(store),
        read_committed(std::move(read)),
        config(c),
        tokens(c.token_cache_entries) {}

  static BranchAddress address(const Repository& repository, const BranchId& branch) {
    return {repository.partition(), keys::branch(branch)};
  }

  Moves moves() const { return {std::max<std::size_t>(config.tries, 1)}; }

  Branch remember(const BranchAddress& at, const std::optional<std::string>& stored) {
    if (!stored) {
      tokens.forget(at.text());
      throw Error(ErrorCode::branch_not_found, "branch not found");
    }
    Branch branch = decode_branch(*stored);
    tokens.put(at.text(), {branch.staging_token, *stored});
    return branch;
  }

  Task<Branch> read_branch(Context& ctx, const BranchAddress& at) {
    co_return remember(at, co_await kv.get(ctx, at.partition, at.key));
  }

  Task<BranchHint> read_hint(Context& ctx, const BranchAddress& at) {
    auto stored = co_await kv.get(ctx, at.partition, at.key);
    const Branch branch = remember(at, stored);
    co_return BranchHint{branch.staging_token, *std::move(stored)};
  }

  bool sole_writer() const { return !config.other_servers; }

  /// "" if unknown.
  std::string hinted_token(const BranchAddress& at) {
    auto hint = tokens.find(at.text());
    return hint ? std::move(hint->token) : std::string();
  }

  /// Runs `ops`, then reads the branch; `ops` get their results.
  Task<Branch> run_and_look(Context& ctx, const BranchAddress& at, std::vector<kv::Op> ops,
                            std::vector<kv::OpResult>& results) {
    ops.push_back(at.get_op());
    results = co_await kv.run(ctx, std::move(ops));
    Branch branch = remember(at, results.back().found);
    results.pop_back();
    co_return branch;
  }

  /// set() where the store tells exactly whether the branch was still what `hint` says,
  Task<> set_exactly(Context& ctx, const BranchAddress& at, const std::string& name,
                     const std::string& record, BranchHint hint, bool hinted);
  /// and where the branch must be looked at after the write.
  Task<> set_and_look(Context& ctx, const Repository& repository, const BranchAddress& at,
                      const std::string& name, const Value& value, BranchHint hint, bool hinted);
  /// Whether a record that has `landed` in a token that was sealed needs no repetition: a commit
  /// took it along, or somebody has replaced it since.
  Task<bool> is_done(Context& ctx, const Repository& repository, const Branch& branch,
                     const std::string& name, const Value& value, const std::string& landed);
  Task<std::optional<Seen>> look(Context& ctx, const Repository& repository,
                                 const BranchAddress& at, const std::string& key);
  Task<RemovePlan> plan_removal(Context& ctx, const Repository& repository, const Branch& branch,
                                const std::vector<std::string>& keys, DeleteForm form);
  Task<> remove_sorted(Context& ctx, const Repository& repository, const BranchAddress& at,
                       const std::vector<std::string>& keys, DeleteForm form);

  kv::Store& kv;
  Staging staging;
  ReadCommitted read_committed;
  WritePathConfig config;
  TokenCache tokens;
};

WritePath::WritePath(kv::Store& kv, ReadCommitted read_committed, WritePathConfig config)
    : impl_(std::make_unique<Impl>(kv, std::move(read_committed), config)) {}

WritePath::~WritePath() = default;

Task<> WritePath::set(Context& ctx, const Repository& repository, const BranchId& branch,
                      std::string_view key, const Value& value) {
  const BranchAddress at = Impl::address(repository, branch);
  const std::string name(key);
  const kv::Guard guard = impl_->kv.guard();
  // Without a guard an outdated hint would let this write into a commit that lacks writes answered
  // before it began, if another server has sealed the token meanwhile.
  const bool may_hint = guard != kv::Guard::none || impl_->sole_writer();
  auto hint = may_hint ? impl_->tokens.find(at.text()) : std::nullopt;
  bool hinted = hint.has_value();
  if (!hint) hint = co_await impl_->read_hint(ctx, at);
  if (guard == kv::Guard::exact) {
    std::string record = encode_staged(key, value.identity, value.data);
    co_await impl_->set_exactly(ctx, at, name, record, *std::move(hint), hinted);
  } else {
    co_await impl_->set_and_look(ctx, repository, at, name, value, *std::move(hint), hinted);
  }
}

Task<> WritePath::Impl::set_exactly(Context& ctx, const BranchAddress& at, const std::string& name,
                                    const std::string& record, BranchHint hint, bool hinted) {
  for (Moves left = moves();;) {
    std::vector<kv::Op> ops;
    ops.push_back(kv::Op::only_while(kv::Op::set(hint.token, name, record), {at.partition, at.key},
                                     std::move(hint.stored)));
    const auto results = co_await kv.run(ctx, std::move(ops));
    if (results.front().stored) co_return;
    // An outdated hint is not the branch being busy.
    if (!std::exchange(hinted, false)) left.count();
    hint = co_await read_hint(ctx, at);
  }
}

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

Task<std::optional<WritePath::Impl::Seen>> WritePath::Impl::look(Context& ctx,
                                                                 const Repository& repository,
                                                                 const BranchAddress& at,
                                                                 const std::string& key) {
  // One trip for the usual case: the hint is right, and nothing is sealed or the key is current.
  const std::string hint = hinted_token(at);
  std::vector<kv::Op> ops{at.get_op()};
  if (!hint.empty()) ops.push_back(kv::Op::get(hint, key));
  auto results = co_await kv.run(ctx, std::move(ops));
  Seen seen{.branch = remember(at, results.front().found)};
  if (seen.branch.staging_token == hint) {
    seen.current = std::move(results.back().found);
  } else {
    seen.current = co_await kv.get(ctx, seen.branch.staging_token, key);
  }
  std::optional<std::string> deciding = seen.current;
  if (!deciding && !seen.branch.sealed_tokens.empty()) {
    std::vector<kv::Op> gets;
    for (const std::string& token : seen.branch.sealed_tokens) {
      gets.push_back(kv::Op::get(token, key));
    }
    std::vector<kv::OpResult> found;
    const Branch now = co_await run_and_look(ctx, at, std::move(gets), found);
    // A commit that ended meanwhile may have emptied the tokens we were reading.
    if (!same_state(now, seen.branch)) co_return std::nullopt;
    for (kv::OpResult& result : found) {
      if (result.found && !deciding) deciding = std::move(result.found);
    }
  }
  if (deciding) {
    const RecordView view = decode_staged(*deciding);
    seen.staged = true;
    if (!view.tombstone) seen.value = view.to_value();
  } else {
    const std::vector<std::string> keys{key};
    auto values = co_await read_committed(ctx, repository, seen.branch.commit_id, keys);
    seen.value = std::move(values.at(0));
  }
  co_return seen;
}

Task<> WritePath::update(Context& ctx, const Repository& repository, const BranchId& branch,
                         std::string_view key, const Change& change) {
  const BranchAddress at = Impl::address(repository, branch);
  const std::string name(key);
  std::optional<Value> landed;  // what we wrote into a token that was no longer current
  Impl::Moves moves = impl_->moves();
  for (std::size_t races = 0; races < std::max<std::size_t>(impl_->config.race_tries, 1);) {
    auto seen = co_await impl_->look(ctx, repository, at, name);
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
      ops.push_back(kv::Op::set_if(token, name, encode_staged(key, value.identity, value.data),
                                   std::move(expect)));
      std::vector<kv::OpResult> results;
      const Branch now = co_await impl_->run_and_look(ctx, at, std::move(ops), results);
      lost = !results.front().stored;
      if (!lost) {
        if (now.staging_token == token) co_return;
        if (is_dropped(token, now)) co_await impl_->kv.erase(ctx, token, name);
        moves.count();
        landed = std::move(value);
      }
    }
    if (lost) {
      ++races;
      co_await io::sleep(backoff_pause({.update_tries = 0,
                                        .update_backoff = impl_->config.race_backoff,
                                        .update_backoff_max = kRaceBackoffMax},
                                       races, 0.5));
      ctx.check_deadline();
    }
  }
  throw Error(ErrorCode::precondition_failed, "precondition failed");
}

Task<> WritePath::set_if_absent(Context& ctx, const Repository& repository, const BranchId& branch,
                                std::string_view key, const Value& value) {
  const Change change = [&value](const std::optional<Value>& visible) {
    if (visible) throw Error(ErrorCode::precondition_failed, "precondition failed");
    return value;
  };
  co_await update(ctx, repository, branch, key, change);
}

Task<WritePath::Impl::RemovePlan> WritePath::Impl::plan_removal(
    Context& ctx, const Repository& repository, const Branch& branch,
    const std::vector<std::string>& keys, DeleteForm form) {
  RemovePlan plan;
  const auto committed = co_await read_committed(ctx, repository, branch.commit_id, keys);
  std::vector<std::string> rest;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (committed.at(i)) {
      plan.ops.push_back(tombstone_op(branch.staging_token, keys[i]));
    } else {
      rest.push_back(keys[i]);
    }
  }
  const auto sealed = co_await staging.get_first_many(ctx, branch.sealed_tokens, rest);
  for (std::size_t i = 0; i < rest.size(); ++i) {
    if (sealed[i] && sealed[i]->value) {
      plan.ops.push_back(tombstone_op(branch.staging_token, rest[i]));
      continue;
    }
    plan.depends_on_state = true;  // on the key being nowhere but, perhaps, in the current token
    if (form == DeleteForm::no_tombstone) {
      plan.ops.push_back(erase_op(branch.staging_token, rest[i]));
    }
  }
  co_return plan;
}

Task<> WritePath::Impl::remove_sorted(Context& ctx, const Repository& repository,
                                      const BranchAddress& at, const std::vector<std::string>& keys,
                                      DeleteForm form) {
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
      done = now.staging_token == token && (!plan.depends_on_state || same_state(now, branch));
      hinted = false;
      branch = now;
    }
    if (done) co_return;
    if (!std::exchange(hinted, false)) left.count();
    token = branch.staging_token;
  }
}

Task<std::vector<std::optional<Error>>> WritePath::remove(Context& ctx,
                                                          const Repository& repository,
                                                          const BranchId& branch,
                                                          const std::vector<std::string>& keys,
                                                          DeleteForm form) {
  std::vector<std::optional<Error>> outcomes(keys.size());
  std::vector<std::string> sorted;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (keys[i].empty() || keys[i].size() > kKeySizeMax) {
      outcomes[i].emplace(ErrorCode::invalid_argument,
                          "argument path: invalid value: validation error");
    } else {
      sorted.push_back(keys[i]);
    }
  }
  std::ranges::sort(sorted);
  sorted.erase(std::ranges::unique(sorted).begin(), sorted.end());
  const BranchAddress at = Impl::address(repository, branch);
  for (auto from = sorted.begin(); from != sorted.end();) {
    const auto to = from + std::min<std::ptrdiff_t>(kRemoveKeys, sorted.end() - from);
    const std::vector<std::string> some(from, to);
    co_await impl_->remove_sorted(ctx, repository, at, some, form);
    from = to;
  }
  co_return outcomes;
}

Task<> WritePath::write(Context& ctx, const Repository& repository, const BranchId& branch,
                        const Plan& plan) {
  const BranchAddress at = Impl::address(repository, branch);
  Branch before = co_await impl_->read_branch(ctx, at);
  std::vector<kv::Op> ops = co_await plan(before);
  for (Impl::Moves moves = impl_->moves(); !ops.empty();) {
    std::vector<kv::OpResult> results;
    const Branch now = co_await impl_->run_and_look(ctx, at, ops, results);
    if (now.staging_token == before.staging_token) co_return;
    moves.count();
    // The plan may find our own work in the token that moved and think it done; a commit may have
    // read that token before.
    std::vector<kv::Op> old_ops = std::exchange(ops, co_await plan(now));
    carry_over(ops, std::move(old_ops), before.staging_token, now.staging_token);
    before = now;
  }
}

}  // namespace tarn::versioning
