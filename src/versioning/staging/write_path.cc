#include "versioning/staging/write_path.h"

#include <algorithm>
#include <utility>

#include "io/sync.h"
#include "versioning/staging/write_path_impl.h"

namespace tarn::versioning {
namespace {

constexpr std::size_t kKeySizeMax = 1'024;
constexpr std::ptrdiff_t kRemoveKeys = 1'000;  // in one run of the store
constexpr std::chrono::milliseconds kRaceBackoffMax{50};

}  // namespace

bool same_state(const Branch& a, const Branch& b) {
  return a.staging_token == b.staging_token && a.commit_id == b.commit_id &&
         a.sealed_tokens == b.sealed_tokens;
}

kv::Op tied(kv::Op write, const BranchAddress& at, const BranchHint& hint) {
  return kv::Op::only_while(std::move(write), {at.partition, at.key}, hint.stored);
}

kv::Op bury_op(const std::string& token, const std::string& key) {
  return kv::Op::set_if(token, key, encode_tombstone(key), kv::Expect::present());
}

bool all_stored(const std::vector<kv::OpResult>& results) {
  return std::ranges::all_of(results, [](const kv::OpResult& result) { return result.stored; });
}

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
  if (impl_->exact()) {
    std::string record = encode_staged(key, value.identity, value.data);
    co_await impl_->set_exactly(ctx, at, name, record, *std::move(hint), hinted);
  } else {
    co_await impl_->set_and_look(ctx, repository, at, name, value, *std::move(hint), hinted);
  }
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
  seen.stored = *std::move(results.front().found);
  if (seen.branch.staging_token == hint) {
    seen.current = std::move(results.back().found);
  } else {
    seen.current = co_await kv.get(ctx, seen.branch.staging_token, key);
  }
  std::optional<std::string> deciding = seen.current;
  if (!deciding && !seen.branch.sealed_tokens.empty()) {
    std::vector<kv::Op> gets;
    gets.reserve(seen.branch.sealed_tokens.size());
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
  if (impl_->exact()) {
    co_await impl_->update_exactly(ctx, repository, at, name, change);
  } else {
    co_await impl_->update_and_look(ctx, repository, at, name, change);
  }
}

Task<> WritePath::Impl::back_off(Context& ctx, std::size_t races) {
  const auto pause = backoff_pause({.update_tries = 0,
                                    .update_backoff = config.race_backoff,
                                    .update_backoff_max = kRaceBackoffMax},
                                   races, 0.5);
  if (pause.count() > 0) {
    co_await io::sleep(pause);
  } else {
    co_await io::yield();
  }
  ctx.check_deadline();
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
    plan.rest.push_back(rest[i]);
    if (form == DeleteForm::no_tombstone) {
      plan.ops.push_back(erase_op(branch.staging_token, rest[i]));
    }
  }
  co_return plan;
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
  if (sorted.empty()) co_await impl_->read_branch(ctx, at);  // there has to be one
  for (auto from = sorted.begin(); from != sorted.end();) {
    const auto to = from + std::min<std::ptrdiff_t>(kRemoveKeys, sorted.end() - from);
    const std::vector<std::string> some(from, to);
    if (impl_->exact()) {
      co_await impl_->remove_exactly(ctx, repository, at, some, form);
    } else {
      co_await impl_->remove_and_look(ctx, repository, at, some, form);
    }
    from = to;
  }
  co_return outcomes;
}

Task<> WritePath::write(Context& ctx, const Repository& repository, const BranchId& branch,
                        const Plan& plan) {
  const BranchAddress at = Impl::address(repository, branch);
  if (impl_->exact()) {
    co_await impl_->write_exactly(ctx, at, plan);
  } else {
    co_await impl_->write_and_look(ctx, at, plan);
  }
}

}  // namespace tarn::versioning
