#include "versioning/refs/repo_metadata.h"

#include <utility>

#include "base/error.h"
#include "io/sync.h"
#include "versioning/refs/branches.h"
#include "versioning/refs/keys.h"
#include "versioning/refs/record_codec.h"

namespace tarn::versioning {
namespace {

constexpr std::size_t kTriesMax = 10;
constexpr BranchesConfig kBackoff{.update_tries = kTriesMax,
                                  .update_backoff = std::chrono::milliseconds(5),
                                  .update_backoff_max = std::chrono::milliseconds(500)};

}  // namespace

Task<Metadata> RepoMetadata::get(Context& ctx, const Repository& repository) {
  const auto stored = co_await kv_.get(ctx, repository.partition(), keys::kRepoMetadata);
  co_return stored ? decode_repo_metadata(*stored) : Metadata{};
}

Task<> RepoMetadata::update(Context& ctx, const Repository& repository, const Metadata& set,
                            const std::vector<std::string>& remove) {
  const std::string partition = repository.partition();
  const std::string key(keys::kRepoMetadata);
  for (std::size_t tries = 1; tries <= kTriesMax; ++tries) {
    auto stored = co_await kv_.get(ctx, partition, key);
    Metadata metadata = stored ? decode_repo_metadata(*stored) : Metadata{};
    for (const auto& [name, value] : set)
      metadata.insert_or_assign(name, value);
    for (const std::string& name : remove)
      metadata.erase(name);
    auto expect = stored ? kv::Expect::value(*std::move(stored)) : kv::Expect::absent();
    const kv::SetIf outcome =
        co_await kv_.set_if(ctx, partition, key, encode_repo_metadata(metadata), std::move(expect));
    if (outcome == kv::SetIf::stored) co_return;
    co_await io::sleep(backoff_pause(kBackoff, tries, 0.5));
    ctx.check_deadline();
  }
  throw Error(ErrorCode::too_many_tries, "update repository metadata: too many tries");
}

}  // namespace tarn::versioning
