#include "catalog/fsck.h"

#include <optional>
#include <utility>

#include "base/error.h"
#include "base/format.h"
#include "base/id.h"
#include "catalog/fsck_parts.h"
#include "versioning/refs/keys.h"
#include "versioning/refs/record_codec.h"
#include "versioning/staging/staging.h"

namespace tarn::catalog {

namespace keys = versioning::keys;

namespace {

Task<> check_repositories(FsckRun& run) {
  RepositoryChecks checks(run);
  const std::string folder(keys::kRepositories);
  const auto cursor =
      run.stores.kv.scan(keys::kRepositoriesPartition, {.prefix = folder + run.options.repository});
  while (cursor->next() || co_await cursor->fill(run.ctx)) {
    const std::string id(cursor->key().substr(folder.size()));
    if (!run.options.repository.empty() && id != run.options.repository) continue;
    std::optional<versioning::Repository> repository;
    std::string fault;
    try {
      repository = versioning::decode_repository(cursor->value());
      if (repository->id.str() != id) fault = "the record is that of another repository";
    } catch (const Error& error) {
      if (error.code() != ErrorCode::corrupt) throw;
      fault = error.message();
    }
    if (!fault.empty()) {
      run.add({.finding = Finding::repository_unreadable,
               .repository = id,
               .where = "repository " + id,
               .detail = std::move(fault)});
      run.findings.flush();
      continue;
    }
    // One in deletion has lost what it has lost; deleting it again ends it.
    if (repository->state == versioning::RepositoryState::active)
      co_await checks.check(*repository);
  }
}

}  // namespace

Task<FsckReport> run_fsck(Context& ctx, FsckStores stores, FsckOptions options,
                          std::function<void(const Problem&)> on_problem) {
  FsckReport report;
  Findings findings(std::move(on_problem));
  FsckRun run{
      .ctx = ctx, .stores = stores, .options = options, .report = report, .findings = findings};
  co_await check_repositories(run);
  if (options.repository.empty()) {
    co_await check_leaked_tokens(run);
    co_await check_uploads(run);
  } else if (report.repositories == 0 && report.damage == 0) {
    throw Error(ErrorCode::repository_not_found, "there is no such repository");
  }
  co_return report;
}

Task<bool> repair(Context& ctx, kv::Store& kv, const Problem& problem) {
  bool done = true;
  for (const kv::OpResult& result : co_await kv.run(ctx, problem.repair_ops))
    done = done && result.stored;
  co_return done;
}

Task<> point_branch(Context& ctx, kv::Store& kv, std::string_view repository_id,
                    std::string_view branch_id, std::string_view commit_id) {
  const auto stored = co_await kv.get(ctx, keys::kRepositoriesPartition,
                                      keys::join(keys::kRepositories, repository_id));
  if (!stored) throw Error(ErrorCode::repository_not_found, "there is no such repository");
  const auto repository = versioning::decode_repository(*stored);
  const CommitId commit = CommitId::require(commit_id);
  const auto record = co_await kv.get(ctx, repository.partition(), keys::commit(commit));
  if (!record) throw Error(ErrorCode::commit_not_found, "there is no such commit");
  if (versioning::compute_commit_id(versioning::decode_commit(*record)) != commit) {
    throw Error(ErrorCode::corrupt, "the commit's record is damaged");
  }
  const BranchId id = BranchId::require(branch_id);
  const auto before = co_await kv.get(ctx, repository.partition(), keys::branch(id));
  versioning::Branch branch{.id = id,
                            .commit_id = commit,
                            .staging_token = versioning::make_staging_token(repository.id, id),
                            .sealed_tokens = {}};
  if (before) {
    branch = versioning::decode_branch(*before);
    branch.commit_id = commit;
  }
  const auto outcome = co_await kv.set_if(
      ctx, repository.partition(), keys::branch(id), versioning::encode_branch(branch),
      before ? kv::Expect::value(*before) : kv::Expect::absent());
  if (outcome == kv::SetIf::lost) {
    throw Error(ErrorCode::too_many_tries, "the branch has changed meanwhile");
  }
}

}  // namespace tarn::catalog
