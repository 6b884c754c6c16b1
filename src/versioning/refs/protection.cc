#include "versioning/refs/protection.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "base/error.h"
#include "base/hash.h"
#include "versioning/refs/aged_cache.h"
#include "versioning/refs/glob.h"
#include "versioning/refs/keys.h"
#include "versioning/refs/record_codec.h"

namespace tarn::versioning {
namespace {

constexpr std::size_t kCacheEntriesMax = 1'000;

std::string checksum_of(const std::optional<std::string>& stored) {
  return stored && !stored->empty() ? to_hex(sha256(*stored)) : std::string();
}

}  // namespace

struct Protection::Cache : AgedCache<ProtectionRules> {
  using AgedCache::AgedCache;
};

Protection::Protection(kv::Store& kv, Clock& clock, std::chrono::milliseconds cache_age)
    : kv_(kv), cache_(std::make_unique<Cache>(clock, cache_age, kCacheEntriesMax)) {}

Protection::~Protection() = default;

Task<StoredRules> Protection::rules(Context& ctx, const Repository& repository) {
  const auto stored = co_await kv_.get(ctx, repository.partition(), keys::kProtectedBranches);
  co_return StoredRules{.rules = stored ? decode_protection_rules(*stored) : ProtectionRules{},
                        .checksum = checksum_of(stored)};
}

Task<> Protection::set_rules(Context& ctx, const Repository& repository,
                             const ProtectionRules& rules,
                             const std::optional<std::string>& if_checksum) {
  const std::string partition = repository.partition();
  const std::string key(keys::kProtectedBranches);
  std::string encoded = encode_protection_rules(rules);
  bool stored = true;
  if (!if_checksum) {
    co_await kv_.set(ctx, partition, key, std::move(encoded));
  } else {
    auto before = co_await kv_.get(ctx, partition, key);
    stored = checksum_of(before) == *if_checksum;
    if (stored) {
      auto expect = before ? kv::Expect::value(*std::move(before)) : kv::Expect::absent();
      stored = co_await kv_.set_if(ctx, partition, key, std::move(encoded), std::move(expect)) ==
               kv::SetIf::stored;
    }
  }
  cache_->forget(partition);
  if (!stored) throw Error(ErrorCode::precondition_failed, "Precondition failed");
}

Task<bool> Protection::is_protected(Context& ctx, const Repository& repository,
                                    const BranchId& branch, BlockedAction action) {
  const std::string partition = repository.partition();
  auto known = cache_->find(partition);
  if (!known) {
    const std::uint64_t epoch = cache_->epoch();
    StoredRules read = co_await rules(ctx, repository);
    known = std::make_shared<const ProtectionRules>(std::move(read.rules));
    cache_->put(partition, known, epoch);
  }
  co_return blocks(*known, branch.str(), action);
}

bool blocks(const ProtectionRules& rules, std::string_view branch, BlockedAction action) {
  return std::ranges::any_of(rules.rules, [&](const auto& rule) {
    return std::ranges::find(rule.second, action) != rule.second.end() &&
           glob_matches(rule.first, branch);
  });
}

}  // namespace tarn::versioning
