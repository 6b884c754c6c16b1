#include "versioning/staging/cleanup.h"

#include <algorithm>
#include <random>
#include <utility>

#include "versioning/refs/keys.h"

namespace tarn::versioning {

kv::Op Cleanup::enqueue_op(std::string token) {
  return kv::Op::set(std::string(keys::kCleanupPartition), std::move(token),
                     std::string(keys::kCleanupValue));
}

Task<> Cleanup::enqueue(Context& ctx, const std::vector<std::string>& tokens) {
  std::vector<kv::Op> ops;
  for (const std::string& token : tokens) {
    if (!token.empty()) ops.push_back(enqueue_op(token));
  }
  if (!ops.empty()) co_await kv_.run(ctx, std::move(ops));
}

bool Cleanup::old_enough(const std::string& token, std::chrono::milliseconds min_age) {
  if (min_age.count() <= 0) return true;
  const Timestamp now = clock_.now();
  const std::scoped_lock lock(mutex_);
  const Timestamp first = first_seen_.try_emplace(token, now).first->second;
  return std::chrono::seconds(now.seconds - first.seconds) +
             std::chrono::nanoseconds(now.nanos - first.nanos) >=
         min_age;
}

Task<CleanupResult> Cleanup::run_pass(Context& ctx, CleanupPass pass) {
  CleanupResult result;
  std::vector<std::string> tokens;
  std::size_t looked_at = 0;
  auto cursor = kv_.scan(keys::kCleanupPartition, {});
  while (cursor->next() || co_await cursor->fill(ctx)) {
    if (++looked_at > pass.tokens_max) break;
    std::string token(cursor->key());
    if (old_enough(token, pass.min_age)) tokens.push_back(std::move(token));
  }
  result.more = looked_at > tokens.size();
  {
    // Tokens another server took off the queue would stay here for ever.
    const std::scoped_lock lock(mutex_);
    if (first_seen_.size() > 8 * pass.tokens_max) first_seen_.clear();
  }
  // Servers that clean up at the same time shall not all begin with the same token.
  std::ranges::shuffle(tokens, std::minstd_rand{std::random_device{}()});
  for (const std::string& token : tokens) {
    co_await remove_token(ctx, token, std::max<std::size_t>(pass.batch_keys, 1));
    ++result.removed;
  }
  co_return result;
}

Task<> Cleanup::remove_token(Context& ctx, const std::string& token, std::size_t batch_keys) {
  const auto page_keys = static_cast<std::uint32_t>(std::min<std::size_t>(batch_keys, 10'000));
  auto cursor = kv_.scan(token, {.page_keys = page_keys, .likely_keys = page_keys});
  bool more = true;
  while (more) {
    ctx.check_deadline();
    std::vector<kv::Op> erasures;
    while (erasures.size() < batch_keys && (more = cursor->next() || co_await cursor->fill(ctx))) {
      erasures.push_back(kv::Op::erase(token, std::string(cursor->key())));
    }
    if (!erasures.empty()) co_await kv_.run(ctx, std::move(erasures));
  }
  co_await kv_.erase(ctx, keys::kCleanupPartition, token);
  const std::scoped_lock lock(mutex_);
  first_seen_.erase(token);
}

}  // namespace tarn::versioning
