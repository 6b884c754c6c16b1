#include <exception>

#include "base/error.h"
#include "versioning/engine_parts.h"

namespace tarn::versioning {

namespace {

// Most branches are clean or differ in their first records: look at a few before many.
constexpr std::size_t kFirstBatch = 16;
constexpr std::size_t kBatch = 512;

}  // namespace

void rethrow_with(const Error& error, std::string_view context) {
  throw Error(error.code(), std::string(context).append(": ").append(error.message()),
              error.where());
}

void EngineParts::require_writable(const Repository& repository, bool force) {
  if (repository.read_only && !force) throw Error(ErrorCode::read_only, "read-only repository");
}

Task<> EngineParts::require_unprotected(Context& ctx, const Repository& repository,
                                        const BranchId& branch, BlockedAction action,
                                        std::string_view message) {
  if (co_await protection.is_protected(ctx, repository, branch, action)) {
    throw Error(ErrorCode::protected_branch, std::string(message));
  }
}

std::unique_ptr<RecordStream> EngineParts::open_changes(const std::vector<std::string>& tokens,
                                                        std::uint32_t likely_records) {
  std::vector<std::unique_ptr<RecordStream>> streams;
  for (const std::string& token : tokens)
    streams.push_back(staging.open(token, likely_records));
  return combine(std::move(streams), Tombstones::keep);
}

Task<bool> EngineParts::effectively_empty(Context& ctx, const Repository& repository,
                                          const std::vector<std::string>& tokens,
                                          const CommitId& commit) {
  if (tokens.empty()) co_return true;
  const auto changes = open_changes(tokens);
  std::vector<std::string> keys;
  std::vector<std::string> identities;  // "" for a tombstone
  std::size_t batch = kFirstBatch;
  bool more = true;
  while (more) {
    keys.clear();
    identities.clear();
    while (keys.size() < batch) {
      more = changes->next() || co_await changes->fill(ctx);
      if (!more) break;
      keys.emplace_back(changes->record().key);
      identities.emplace_back(changes->record().tombstone ? std::string_view()
                                                          : changes->record().identity);
    }
    if (keys.empty()) break;
    const auto committed_values = co_await read_committed(ctx, repository, commit, keys);
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const auto& value = committed_values[i];
      const bool tombstone = identities[i].empty();
      const bool same = tombstone ? !value : value && value->identity == identities[i];
      if (!same) co_return false;
    }
    batch = kBatch;
  }
  co_return true;
}

Task<CommitPtr> EngineParts::commit_of(Context& ctx, const Repository& repository,
                                       std::string_view ref, std::string_view context) {
  try {
    const ResolvedRef resolved = co_await resolver.resolve_to_commit(ctx, repository, ref);
    co_return co_await commits.get(ctx, repository, resolved.commit_id);
  } catch (const Error& error) {
    const bool about_ref =
        error.code() == ErrorCode::not_found || error.code() == ErrorCode::invalid_argument;
    if (!about_ref || context.empty()) throw;
    rethrow_with(error, context);
  }
}

Task<std::vector<std::optional<Value>>> EngineParts::read_committed(
    Context& ctx, const Repository& repository, const CommitId& commit,
    const std::vector<std::string>& keys) {
  const CommitPtr record = co_await commits.get(ctx, repository, commit);
  co_return co_await committed.get_many(ctx, repository.storage_namespace, record->meta_range_id,
                                        keys);
}

}  // namespace tarn::versioning
