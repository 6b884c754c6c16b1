// Sealing, discarding and the turn-taking that every operation on a branch head shares (4.1, 4.4).
#include <algorithm>

#include "base/error.h"
#include "base/log.h"
#include "io/sync.h"
#include "versioning/engine_parts.h"

namespace tarn::versioning {

namespace {

// Beyond this, dropped tokens are forgotten while the store takes none: they waste space, no more.
constexpr std::size_t kUnqueuedMax = 10'000;

Task<bool> is_unused(EngineParts& engine, Context& ctx, const std::string& token) {
  const auto records = engine.staging.open(token, 1);
  co_return !records->next() && !co_await records->fill(ctx);
}

Task<std::optional<Branch>> sealed_form(EngineParts& engine, Context& ctx,
                                        const Repository& repository, const Branch& branch,
                                        bool require_clean) {
  if (require_clean && !co_await engine.effectively_empty(ctx, repository, staging_tokens(branch),
                                                          branch.commit_id)) {
    throw Error(ErrorCode::dirty_branch, "uncommitted changes (dirty branch)");
  }
  // What is staged from here on comes after the commit, whether or not the token is another one.
  if (!require_clean && co_await is_unused(engine, ctx, branch.staging_token)) {
    co_return std::nullopt;
  }
  Branch sealed = branch;
  sealed.sealed_tokens.insert(sealed.sealed_tokens.begin(), branch.staging_token);
  sealed.staging_token = make_staging_token(repository.id, branch.id);
  co_return sealed;
}

Task<std::optional<Branch>> without_sealed(const Branch& branch, const Branch& seen) {
  if (branch.commit_id != seen.commit_id || branch.sealed_tokens != seen.sealed_tokens) {
    co_return std::nullopt;
  }
  Branch cleaned = branch;
  cleaned.sealed_tokens.clear();
  co_return cleaned;
}

}  // namespace

Task<BranchTurns::Turn> EngineParts::take_turn(Context& ctx, const Repository& repository,
                                               const BranchId& branch) {
  return turns.take(ctx, repository.partition() + "/" + branch.str());
}

Task<Branch> EngineParts::seal(Context& ctx, const Repository& repository, const BranchId& branch,
                               bool require_clean) {
  co_return co_await branches.update(ctx, repository, branch, [&](const Branch& current) {
    return sealed_form(*this, ctx, repository, current, require_clean);
  });
}

Task<> EngineParts::drop_sealed(Context& ctx, const Repository& repository, const Branch& seen) {
  if (seen.sealed_tokens.empty()) co_return;
  bool dropped = false;
  const auto outcome =
      co_await branches.update_once(ctx, repository, seen.id, [&](const Branch& current) {
        dropped =
            current.commit_id == seen.commit_id && current.sealed_tokens == seen.sealed_tokens;
        return without_sealed(current, seen);
      });
  if (dropped && outcome == kv::SetIf::stored) co_await discard(ctx, seen.sealed_tokens);
}

Task<> EngineParts::discard(Context& ctx, std::vector<std::string> tokens) {
  if (tokens.empty()) co_return;
  try {
    co_await cleanup.enqueue(ctx, tokens);
  } catch (const Error& error) {
    log::warn("dropped staging tokens are not queued yet, will try again",
              {{"error", error.message()}});
    const std::lock_guard lock(unqueued_mutex);
    if (unqueued.size() < kUnqueuedMax)
      unqueued.insert(unqueued.end(), tokens.begin(), tokens.end());
  }
  tokens_queued = true;
}

Task<> EngineParts::queue_the_rest(Context& ctx) {
  std::vector<std::string> tokens;
  {
    const std::lock_guard lock(unqueued_mutex);
    tokens.swap(unqueued);
  }
  co_await discard(ctx, std::move(tokens));
}

Task<std::string> EngineParts::run_hook(Context& ctx, HookRecord record) {
  // Hooks never run on a read-only repository, even when the write itself was forced (11.6).
  if (record.repository->read_only) co_return std::string();
  co_return co_await hooks->run(ctx, record);
}

Task<> EngineParts::run_clean_up() {
  constexpr std::chrono::seconds kPoll(5);
  auto next_pass = std::chrono::steady_clock::now();
  for (;;) {
    if (tokens_queued || std::chrono::steady_clock::now() >= next_pass) {
      tokens_queued = false;
      Context ctx;
      try {
        co_await queue_the_rest(ctx);
        const auto result = co_await cleanup.run_pass(ctx, {.min_age = config.clean_up_min_age});
        if (result.more) tokens_queued = true;
      } catch (const Error& error) {
        log::warn("clean-up of staging tokens failed, will try again",
                  {{"error", error.message()}});
        tokens_queued = true;
      }
      next_pass = std::chrono::steady_clock::now() + config.clean_up_interval;
    }
    co_await io::sleep(kPoll);
  }
}

}  // namespace tarn::versioning
