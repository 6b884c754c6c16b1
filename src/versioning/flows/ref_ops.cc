// Engine: branches, tags, references and history.
#include "base/error.h"
#include "base/format.h"
#include "versioning/engine_parts.h"
#include "versioning/refs/log_walk.h"
#include "versioning/refs/merge_base.h"

namespace tarn::versioning {

namespace {

/// Error{conflict} if a commit has exactly this id; only 64 hex digits can.
Task<> refuse_commit_id(EngineParts& engine, Context& ctx, const Repository& repository,
                        std::string_view name) {
  const auto id = CommitId::parse(name);
  if (id && co_await engine.commits.find(ctx, repository, *id) != nullptr) {
    throw Error(ErrorCode::conflict, format("commit ID {}: conflict found", name));
  }
}

/// True for `branch$`. What is wrong with other references is judged before their `$`.
Task<bool> is_staged_view(EngineParts& engine, Context& ctx, const Repository& repository,
                          std::string_view ref, std::string_view context) {
  try {
    const ResolvedRef resolved = co_await engine.resolver.resolve(ctx, repository, ref);
    co_return resolved.dollar;
  } catch (const Error& error) {
    if (context.empty()) throw;
    throw Error(error.code(), std::string(context).append(": ").append(error.message()));
  }
}

/// The commit a new branch or tag shall point at.
Task<CommitPtr> pointed_at(EngineParts& engine, Context& ctx, const Repository& repository,
                           std::string_view ref, std::string_view context,
                           std::string_view dollar_message) {
  if (ref.ends_with('$') && co_await is_staged_view(engine, ctx, repository, ref, context)) {
    throw Error(ErrorCode::invalid_argument, std::string(dollar_message));
  }
  co_return co_await engine.commit_of(ctx, repository, ref, context);
}

Task<std::optional<Branch>> repointed(EngineParts& engine, Context& ctx,
                                      const Repository& repository, const Branch& branch,
                                      std::string_view target_ref,
                                      std::vector<std::string>& dropped) {
  if (!co_await engine.effectively_empty(ctx, repository, branch.sealed_tokens, branch.commit_id)) {
    throw Error(ErrorCode::dirty_branch, "uncommitted changes (dirty branch)");
  }
  const CommitPtr target = co_await engine.commit_of(ctx, repository, target_ref, "ref");
  dropped = branch.sealed_tokens;
  Branch moved = branch;
  moved.commit_id = target->id;
  moved.sealed_tokens.clear();
  co_return moved;
}

Task<bool> touches(EngineParts& engine, Context& ctx, const Repository& repository,
                   const LogParams& params, const Commit& commit) {
  if (commit.parents.size() != 1) co_return false;
  const CommitPtr parent = co_await engine.commits.get(ctx, repository, commit.parents[0]);
  if (parent->meta_range_id == commit.meta_range_id) co_return false;
  const std::string& where = repository.storage_namespace;
  for (const std::string& key : params.objects) {
    const auto before = co_await engine.committed.get(ctx, where, parent->meta_range_id, key);
    const auto after = co_await engine.committed.get(ctx, where, commit.meta_range_id, key);
    const bool same = before && after ? before->identity == after->identity
                                      : before.has_value() == after.has_value();
    if (!same) co_return true;
  }
  for (const std::string& prefix : params.prefixes) {
    const auto changes = engine.committed.diff(where, parent->meta_range_id, commit.meta_range_id);
    changes->seek(prefix);
    if ((changes->next() || co_await changes->fill(ctx)) &&
        changes->difference().key.starts_with(prefix)) {
      co_return true;
    }
  }
  co_return false;
}

}  // namespace

Task<Branch> Engine::create_branch(Context& ctx, const Repository& repository, const BranchId& id,
                                   std::string_view source_ref, bool hidden, bool force) {
  EngineParts::require_writable(repository, force);
  if (const auto tag = TagId::parse(id.str());
      tag && co_await impl_->tags.find(ctx, repository, *tag)) {
    throw Error(ErrorCode::conflict, format("tag ID {}: conflict found", id.str()));
  }
  co_await refuse_commit_id(*impl_, ctx, repository, id.str());
  const std::string context = format("source reference '{}'", source_ref);
  const CommitPtr source = co_await pointed_at(*impl_, ctx, repository, source_ref, context,
                                               context + ": can't create a branch without commit");
  if (co_await impl_->branches.find(ctx, repository, id)) {
    throw Error(ErrorCode::already_exists, "branch already exists: not unique");
  }
  const Branch branch{.id = id,
                      .commit_id = source->id,
                      .staging_token = make_staging_token(repository.id, id),
                      .hidden = hidden};
  const HookRecord hook{.event = HookEvent::pre_create_branch,
                        .repository = &repository,
                        .branch = id.str(),
                        .source_ref = std::string(source_ref),
                        .commit = *source};
  const std::string run = co_await impl_->run_hook(ctx, hook);
  if (!co_await impl_->branches.create(ctx, repository, branch)) {
    throw Error(ErrorCode::already_exists, "branch already exists: not unique");
  }
  HookRecord done = hook;
  done.event = HookEvent::post_create_branch;
  done.pre_run_id = run;
  co_await impl_->run_hook(ctx, std::move(done));
  co_return branch;
}

Task<Branch> Engine::get_branch(Context& ctx, const Repository& repository, const BranchId& id) {
  return impl_->branches.get(ctx, repository, id);
}

Task<std::optional<Branch>> Engine::find_branch(Context& ctx, const Repository& repository,
                                                const BranchId& id) {
  return impl_->branches.find(ctx, repository, id);
}

Task<Page<Branch>> Engine::list_branches(Context& ctx, const Repository& repository,
                                         PageRequest page, bool show_hidden) {
  return impl_->branches.list(ctx, repository, std::move(page), show_hidden);
}

Task<> Engine::delete_branch(Context& ctx, const Repository& repository, const BranchId& id,
                             bool force) {
  EngineParts::require_writable(repository, force);
  if (id == repository.default_branch) {
    throw Error(ErrorCode::forbidden, "cannot delete repository default branch");
  }
  const auto turn = co_await impl_->take_turn(ctx, repository, id);
  const Branch branch = co_await impl_->branches.get(ctx, repository, id);
  HookRecord hook{.event = HookEvent::pre_delete_branch,
                  .repository = &repository,
                  .branch = id.str(),
                  .source_ref = branch.commit_id.str()};
  hook.pre_run_id = co_await impl_->run_hook(ctx, hook);
  co_await impl_->branches.remove(ctx, repository, id);
  co_await impl_->discard(ctx, staging_tokens(branch));
  hook.event = HookEvent::post_delete_branch;
  co_await impl_->run_hook(ctx, std::move(hook));
}

Task<Branch> Engine::repoint_branch(Context& ctx, const Repository& repository, const BranchId& id,
                                    std::string_view target_ref, bool force) {
  EngineParts::require_writable(repository, force);
  const auto turn = co_await impl_->take_turn(ctx, repository, id);
  co_await impl_->commit_of(ctx, repository, target_ref, "ref");  // before anything is touched
  co_await impl_->seal(ctx, repository, id, true);
  std::vector<std::string> dropped;
  const Branch moved =
      co_await impl_->branches.update(ctx, repository, id, [&](const Branch& current) {
        return repointed(*impl_, ctx, repository, current, target_ref, dropped);
      });
  co_await impl_->discard(ctx, std::move(dropped));
  co_return moved;
}

Task<Tag> Engine::create_tag(Context& ctx, const Repository& repository, const TagId& id,
                             std::string_view target_ref, bool force) {
  EngineParts::require_writable(repository, force);
  if (const auto branch = BranchId::parse(id.str());
      branch && co_await impl_->branches.find(ctx, repository, *branch)) {
    throw Error(ErrorCode::conflict, format("branch name {}: conflict found", id.str()));
  }
  co_await refuse_commit_id(*impl_, ctx, repository, id.str());
  const CommitPtr target =
      co_await pointed_at(*impl_, ctx, repository, target_ref, "",
                          "ref: invalid value: validation error: should point to a commit");
  if (co_await impl_->tags.find(ctx, repository, id)) {
    throw Error(ErrorCode::already_exists, "tag already exists: not unique");
  }
  const Tag tag{.id = id, .commit_id = target->id};
  HookRecord hook{.event = HookEvent::pre_create_tag,
                  .repository = &repository,
                  .branch = id.str(),
                  .source_ref = target->id.str(),
                  .commit = *target};
  hook.pre_run_id = co_await impl_->run_hook(ctx, hook);
  if (!co_await impl_->tags.create(ctx, repository, tag)) {
    throw Error(ErrorCode::already_exists, "tag already exists: not unique");
  }
  hook.event = HookEvent::post_create_tag;
  co_await impl_->run_hook(ctx, std::move(hook));
  co_return tag;
}

Task<Tag> Engine::get_tag(Context& ctx, const Repository& repository, const TagId& id) {
  return impl_->tags.get(ctx, repository, id);
}

Task<Page<Tag>> Engine::list_tags(Context& ctx, const Repository& repository, PageRequest page) {
  return impl_->tags.list(ctx, repository, std::move(page));
}

Task<> Engine::delete_tag(Context& ctx, const Repository& repository, const TagId& id, bool force) {
  EngineParts::require_writable(repository, force);
  const Tag tag = co_await impl_->tags.get(ctx, repository, id);
  HookRecord hook{.event = HookEvent::pre_delete_tag,
                  .repository = &repository,
                  .branch = id.str(),
                  .source_ref = tag.commit_id.str()};
  hook.pre_run_id = co_await impl_->run_hook(ctx, hook);
  co_await impl_->tags.remove(ctx, repository, id);
  hook.event = HookEvent::post_delete_tag;
  co_await impl_->run_hook(ctx, std::move(hook));
}

Task<ResolvedRef> Engine::resolve(Context& ctx, const Repository& repository,
                                  std::string_view ref) {
  return impl_->resolver.resolve(ctx, repository, ref);
}

Task<CommitPtr> Engine::get_commit(Context& ctx, const Repository& repository, const CommitId& id) {
  return impl_->commits.get(ctx, repository, id);
}

Task<CommitPtr> Engine::resolve_commit(Context& ctx, const Repository& repository,
                                       std::string_view ref) {
  std::optional<ResolvedRef> resolved;
  try {
    resolved = co_await impl_->resolver.resolve(ctx, repository, ref);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::not_found) throw;
  }
  if (!resolved) throw Error(ErrorCode::commit_not_found, "commit not found");
  if (resolved->dollar) {
    throw Error(ErrorCode::invalid_argument,
                "ref: invalid value: validation error: should point to a commit");
  }
  co_return co_await impl_->commits.get(ctx, repository, resolved->commit_id);
}

Task<Page<CommitPtr>> Engine::log(Context& ctx, const Repository& repository, std::string_view ref,
                                  LogParams params) {
  const CommitPtr start = co_await impl_->commit_of(ctx, repository, ref, "ref");
  LogWalk walk(impl_->commits, repository, start->id,
               {.first_parent = params.first_parent,
                .after = params.after,
                .stop_at = params.stop_at,
                .since = params.since});
  CommitFilter filter;
  if (!params.objects.empty() || !params.prefixes.empty()) {
    filter = [&](Context& c, const Commit& commit) {
      return touches(*impl_, c, repository, params, commit);
    };
  }
  co_return co_await read_log_page(ctx, walk, params.amount, filter, params.limit);
}

Task<std::optional<Engine::MergeBase>> Engine::find_merge_base(Context& ctx,
                                                               const Repository& repository,
                                                               std::string_view source,
                                                               std::string_view destination) {
  // The destination first, and under another name: as the reference judges and words them.
  const CommitPtr to = co_await impl_->commit_of(
      ctx, repository, destination, std::string("get commit by ref ").append(destination));
  const CommitPtr from = co_await impl_->commit_of(
      ctx, repository, source, std::string("get commit by branch ").append(source));
  const auto base =
      co_await versioning::find_merge_base(ctx, impl_->commits, repository, from->id, to->id);
  if (!base) co_return std::nullopt;
  co_return MergeBase{from->id, to->id, *base};
}

Task<> Engine::put_commit(Context& ctx, const Repository& repository, Commit commit, bool force) {
  EngineParts::require_writable(repository, force);
  if (compute_commit_id(commit) != commit.id) {
    throw Error(ErrorCode::invalid_argument, "commit id: invalid value: validation error");
  }
  if (!co_await impl_->commits.put(ctx, repository, commit)) {
    throw Error(ErrorCode::already_exists, "commit already exists: not unique");
  }
}

}  // namespace tarn::versioning
