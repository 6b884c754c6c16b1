#include "versioning/refs/repositories.h"

#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "versioning/refs/aged_cache.h"
#include "versioning/refs/keys.h"
#include "versioning/refs/record_codec.h"
#include "versioning/refs/record_page.h"
#include "versioning/staging/staging.h"

namespace tarn::versioning {
namespace {

constexpr std::size_t kCacheEntriesMax = 1'000;
constexpr std::uint32_t kRemovePageKeys = 500;

/// A record that does not parse must not make its repository indelible.
std::vector<std::string> tokens_of(std::string_view stored_branch) {
  try {
    return staging_tokens(decode_branch(stored_branch));
  } catch (const Error& error) {
    if (error.code() != ErrorCode::corrupt) throw;
    return {};
  }
}

Task<> remove_folder(Context& ctx, kv::Store& kv, const std::string& partition,
                     std::string_view folder, Cleanup& cleanup) {
  const std::string prefix(folder);
  auto cursor =
      kv.scan(partition, {.from = prefix, .prefix = prefix, .page_keys = kRemovePageKeys});
  bool more = true;
  while (more) {
    std::vector<kv::Op> erasures;
    std::vector<std::string> tokens;
    while (erasures.size() < kRemovePageKeys &&
           (more = cursor->next() || co_await cursor->fill(ctx))) {
      erasures.push_back(kv::Op::erase(partition, std::string(cursor->key())));
      if (folder == keys::kBranches) {
        for (std::string& token : tokens_of(cursor->value()))
          tokens.push_back(std::move(token));
      }
    }
    // Tokens first: nobody may use the branches any more, and a crash in between leaks nothing.
    co_await cleanup.enqueue(ctx, tokens);
    if (!erasures.empty()) co_await kv.run(ctx, std::move(erasures));
  }
}

}  // namespace

struct Repositories::Cache : AgedCache<Repository> {
  using AgedCache::AgedCache;
};

Repositories::Repositories(kv::Store& kv, Clock& clock, std::chrono::milliseconds cache_age)
    : kv_(kv), cache_(std::make_unique<Cache>(clock, cache_age, kCacheEntriesMax)) {}

Repositories::~Repositories() = default;

Task<std::optional<Repository>> Repositories::find(Context& ctx, const RepositoryId& id) {
  const auto stored = co_await kv_.get(ctx, keys::kRepositoriesPartition, keys::repository(id));
  if (!stored) co_return std::nullopt;
  co_return decode_repository(*stored);
}

Task<std::shared_ptr<const Repository>> Repositories::get(Context& ctx, const RepositoryId& id) {
  if (auto known = cache_->find(id.str())) co_return known;
  const std::uint64_t epoch = cache_->epoch();
  auto stored = co_await find(ctx, id);
  if (!stored) throw Error(ErrorCode::repository_not_found, "repository not found");
  if (stored->state == RepositoryState::in_deletion) {
    throw Error(ErrorCode::repository_in_deletion, "repository in deletion");
  }
  auto repository = std::make_shared<const Repository>(*std::move(stored));
  cache_->put(id.str(), repository, epoch);
  co_return repository;
}

Task<Page<Repository>> Repositories::list(Context& ctx, PageRequest page, std::string_view search) {
  return read_page(
      ctx, kv_, std::string(keys::kRepositoriesPartition), keys::kRepositories, std::move(page),
      &decode_repository,
      [wanted = std::string(search)](std::string_view id) {
        return id.find(wanted) != std::string_view::npos;
      },
      kKeepAll);
}

Task<bool> Repositories::create(Context& ctx, const Repository& repository,
                                std::vector<kv::Op> before) {
  std::vector<kv::Op> ops = std::move(before);
  ops.push_back(kv::Op::set_if(std::string(keys::kRepositoriesPartition),
                               keys::repository(repository.id), encode_repository(repository),
                               kv::Expect::absent()));
  const auto results = co_await kv_.run(ctx, std::move(ops));
  forget(repository.id);
  co_return results.back().stored;
}

Task<> Repositories::put(Context& ctx, const Repository& repository) {
  co_await kv_.set(ctx, keys::kRepositoriesPartition, keys::repository(repository.id),
                   encode_repository(repository));
  forget(repository.id);
}

Task<> Repositories::remove(Context& ctx, const RepositoryId& id, Cleanup& cleanup) {
  auto repository = co_await find(ctx, id);
  if (!repository) co_return;
  if (repository->state == RepositoryState::active) {
    repository->state = RepositoryState::in_deletion;
    co_await put(ctx, *repository);
  }
  const std::string partition = repository->partition();
  for (const std::string_view folder : {keys::kBranches, keys::kTags, keys::kCommits}) {
    co_await remove_folder(ctx, kv_, partition, folder, cleanup);
  }
  co_await kv_.erase(ctx, partition, keys::kRepoMetadata);
  // Another removal may have finished first, and the name been taken again.
  const auto now = co_await find(ctx, id);
  if (now && now->instance_uid == repository->instance_uid) {
    co_await kv_.erase(ctx, keys::kRepositoriesPartition, keys::repository(id));
  }
  forget(id);
}

void Repositories::forget(const RepositoryId& id) {
  cache_->forget(id.str());
}

}  // namespace tarn::versioning
