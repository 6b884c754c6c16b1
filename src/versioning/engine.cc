// Engine: its making, repositories, settings and background work. Flows are in flows/.
#include "versioning/engine.h"

#include <utility>

#include "base/error.h"
#include "base/xid.h"
#include "versioning/engine_parts.h"
#include "versioning/flows/head_flow.h"

namespace tarn::versioning {

namespace {

NoHooks no_hooks;

}  // namespace

EngineParts::EngineParts(Engine::Parts parts, EngineConfig engine_config)
    : kv(parts.kv),
      committed(parts.committed),
      clock(parts.clock),
      loops(parts.loops),
      config(engine_config),
      repositories(kv, clock, config.repository_cache_age),
      branches(kv, {.update_tries = config.branch_update_tries,
                    .update_backoff = config.branch_update_backoff}),
      tags(kv),
      commits(kv, config.commit_cache_entries),
      resolver(branches, tags, commits),
      protection(kv, clock, config.protection_cache_age),
      repo_metadata(kv),
      staging(kv),
      cleanup(kv, clock),
      write_path(kv,
                 [this](Context& ctx, const Repository& repository, const CommitId& commit,
                        const std::vector<std::string>& keys) {
                   return read_committed(ctx, repository, commit, keys);
                 },
                 {.tries = config.staging_write_tries, .other_servers = config.other_servers}),
      hooks(&no_hooks) {}

Engine::Engine(Parts parts, EngineConfig config)
    : impl_(std::make_unique<EngineParts>(parts, config)) {}

Engine::~Engine() = default;

void Engine::set_hooks(HookSink& hooks) {
  impl_->hooks = &hooks;
}

void Engine::start() {
  if (impl_->loops == nullptr) return;
  impl_->tasks.spawn(impl_->loops->any(), "staging clean-up", impl_->run_clean_up());
}

Task<> Engine::stop() {
  impl_->tasks.cancel();
  co_await impl_->tasks.join();
}

Task<Repository> Engine::create_repository(Context& ctx, CreateRepository params) {
  if (co_await impl_->repositories.find(ctx, params.id)) {
    throw Error(ErrorCode::already_exists, "error creating repository: not unique");
  }
  const Timestamp now = impl_->clock.now();
  const Repository repository{.id = params.id,
                              .storage_namespace = std::move(params.storage_namespace),
                              .default_branch = params.default_branch,
                              .creation_date = now,
                              .instance_uid = make_xid(now),
                              .read_only = params.read_only,
                              .storage_id = std::move(params.storage_id)};
  // Commit and branch first, the record last: until it is there nobody can see them. Nobody else
  // writes to the partition, whose name is new.
  std::vector<kv::Op> steps;
  Commit first = new_commit("", "Repository created", now, {});
  if (!params.bare) {
    finish_commit(first, MetaRangeId(), {});
    const Branch branch{
        .id = repository.default_branch,
        .commit_id = first.id,
        .staging_token = make_staging_token(repository.id, repository.default_branch)};
    steps.push_back(Commits::put_op(repository, first));
    steps.push_back(Branches::create_op(repository, branch));
  }
  if (!co_await impl_->repositories.create(ctx, repository, std::move(steps))) {
    throw Error(ErrorCode::already_exists, "error creating repository: not unique");
  }
  if (!params.bare) impl_->commits.note_stored(repository, first);
  co_return repository;
}

Task<std::shared_ptr<const Repository>> Engine::get_repository(Context& ctx,
                                                               const RepositoryId& id) {
  return impl_->repositories.get(ctx, id);
}

Task<Page<Repository>> Engine::list_repositories(Context& ctx, PageRequest page,
                                                 std::string_view search) {
  return impl_->repositories.list(ctx, std::move(page), search);
}

Task<> Engine::delete_repository(Context& ctx, const RepositoryId& id, bool force) {
  const auto repository = co_await impl_->repositories.find(ctx, id);
  if (!repository) throw Error(ErrorCode::repository_not_found, "repository not found");
  EngineParts::require_writable(*repository, force);
  co_await impl_->repositories.remove(ctx, id, impl_->cleanup);
  impl_->tokens_queued = true;
}

Task<Metadata> Engine::repository_metadata(Context& ctx, const Repository& repository) {
  return impl_->repo_metadata.get(ctx, repository);
}

Task<> Engine::update_repository_metadata(Context& ctx, const Repository& repository, Metadata set,
                                          std::vector<std::string> remove) {
  co_await impl_->repo_metadata.update(ctx, repository, set, remove);
}

Task<StoredRules> Engine::protection_rules(Context& ctx, const Repository& repository) {
  return impl_->protection.rules(ctx, repository);
}

Task<> Engine::set_protection_rules(Context& ctx, const Repository& repository,
                                    ProtectionRules rules, std::optional<std::string> if_checksum) {
  co_await impl_->protection.set_rules(ctx, repository, rules, if_checksum);
}

Task<bool> Engine::is_protected(Context& ctx, const Repository& repository, const BranchId& branch,
                                BlockedAction action) {
  return impl_->protection.is_protected(ctx, repository, branch, action);
}

Task<std::size_t> Engine::clean_up(Context& ctx) {
  co_await impl_->queue_the_rest(ctx);
  co_return (co_await impl_->cleanup.run_pass(ctx)).removed;
}

}  // namespace tarn::versioning
