#include "versioning/refs/branches.h"

#include <algorithm>
#include <exception>
#include <random>
#include <utility>

#include "base/error.h"
#include "io/sync.h"
#include "versioning/refs/keys.h"
#include "versioning/refs/record_codec.h"
#include "versioning/refs/record_page.h"

namespace tarn::versioning {
namespace {

double random_unit() {
  thread_local std::minstd_rand engine{std::random_device{}()};
  return std::uniform_real_distribution<double>(0, 1)(engine);
}

}  // namespace

struct Branches::Attempt {
  kv::SetIf outcome;
  Branch branch;  // as stored, if it was
};

Task<std::optional<Branch>> Branches::find(Context& ctx, const Repository& repository,
                                           const BranchId& id) {
  const auto stored = co_await kv_.get(ctx, repository.partition(), keys::branch(id));
  if (!stored) co_return std::nullopt;
  co_return decode_branch(*stored);
}

Task<Branch> Branches::get(Context& ctx, const Repository& repository, const BranchId& id) {
  auto branch = co_await find(ctx, repository, id);
  if (!branch) throw Error(ErrorCode::branch_not_found, "branch not found");
  co_return *std::move(branch);
}

Task<Page<Branch>> Branches::list(Context& ctx, const Repository& repository, PageRequest page,
                                  bool show_hidden) {
  return read_page(ctx, kv_, repository.partition(), keys::kBranches, std::move(page),
                   &decode_branch, kKeepAll,
                   [show_hidden](const Branch& branch) { return show_hidden || !branch.hidden; });
}

kv::Op Branches::create_op(const Repository& repository, const Branch& branch) {
  return kv::Op::set_if(repository.partition(), keys::branch(branch.id), encode_branch(branch),
                        kv::Expect::absent());
}

Task<bool> Branches::create(Context& ctx, const Repository& repository, const Branch& branch) {
  co_return co_await kv_.set_if(ctx, repository.partition(), keys::branch(branch.id),
                                encode_branch(branch), kv::Expect::absent()) == kv::SetIf::stored;
}

Task<> Branches::put(Context& ctx, const Repository& repository, const Branch& branch) {
  std::vector<kv::Op> ops;
  ops.push_back(kv::Op::of_guard(
      kv::Op::set(repository.partition(), keys::branch(branch.id), encode_branch(branch))));
  co_await kv_.run(ctx, std::move(ops));
}

Task<> Branches::remove(Context& ctx, const Repository& repository, const BranchId& id) {
  std::vector<kv::Op> ops;
  ops.push_back(kv::Op::of_guard(kv::Op::erase(repository.partition(), keys::branch(id))));
  co_await kv_.run(ctx, std::move(ops));
}

Task<bool> Branches::holds(Context& ctx, std::string_view partition, std::string_view key,
                           std::string_view wanted) {
  try {
    const auto found = co_await kv_.get(ctx, partition, key);
    co_return found && *found == wanted;
  } catch (const Error&) {
    co_return false;  // the caller tells of the failure before this one
  }
}

Task<Branches::Attempt> Branches::attempt(Context& ctx, const Repository& repository,
                                          const BranchId& id, const Compute& compute,
                                          Companions* companions) {
  const std::string partition = repository.partition();
  const std::string key = keys::branch(id);
  auto stored = co_await kv_.get(ctx, partition, key);
  if (!stored) throw Error(ErrorCode::branch_not_found, "branch not found");
  Branch current = decode_branch(*stored);
  std::optional<Branch> changed = co_await compute(current);
  if (!changed) co_return Attempt{kv::SetIf::stored, std::move(current)};
  const std::string wanted = encode_branch(*changed);
  std::vector<kv::Op> ops;
  if (companions != nullptr) ops.swap(companions->before);
  ops.push_back(kv::Op::of_guard(
      kv::Op::set_if(partition, key, wanted, kv::Expect::value(*std::move(stored)))));
  std::vector<kv::OpResult> results;
  std::exception_ptr failure;
  try {
    results = co_await kv_.run(ctx, std::move(ops));
  } catch (const Error&) {
    failure = std::current_exception();
  }
  if (failure) {
    // It may have been written, and only the answer been lost.
    if (!co_await holds(ctx, partition, key, wanted)) std::rethrow_exception(failure);
    co_return Attempt{kv::SetIf::stored, *std::move(changed)};
  }
  if (companions != nullptr && companions->done) companions->done(results);
  co_return Attempt{results.back().stored ? kv::SetIf::stored : kv::SetIf::lost,
                    *std::move(changed)};
}

Task<kv::SetIf> Branches::update_once(Context& ctx, const Repository& repository,
                                      const BranchId& id, const Compute& compute) {
  const Attempt done = co_await attempt(ctx, repository, id, compute, nullptr);
  co_return done.outcome;
}

Task<Branch> Branches::update(Context& ctx, const Repository& repository, const BranchId& id,
                              const Compute& compute, Companions* companions) {
  for (std::size_t tries = 1;; ++tries) {
    Attempt done = co_await attempt(ctx, repository, id, compute, companions);
    if (done.outcome == kv::SetIf::stored) co_return std::move(done.branch);
    if (tries >= config_.update_tries) {
      throw Error(ErrorCode::too_many_tries, "update branch: too many tries");
    }
    co_await io::sleep(backoff_pause(config_, tries, random_unit()));
    ctx.check_deadline();
  }
}

std::chrono::milliseconds backoff_pause(const BranchesConfig& config, std::size_t tries,
                                        double random) {
  const auto doublings = std::min<std::size_t>(tries > 0 ? tries - 1 : 0, 20);
  const auto nominal =
      std::min(config.update_backoff * (std::int64_t{1} << doublings), config.update_backoff_max);
  return std::chrono::milliseconds(
      static_cast<std::int64_t>(static_cast<double>(nominal.count()) * (0.5 + random)));
}

}  // namespace tarn::versioning
