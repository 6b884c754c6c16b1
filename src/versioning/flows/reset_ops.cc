// Engine: undoing what is uncommitted, and moving a head back (storage-format.md 4.6).
#include "base/error.h"
#include "versioning/flows/staged_diff.h"

namespace tarn::versioning {

namespace {

constexpr std::size_t kResetBatch = 500;

Task<std::optional<Branch>> without_staging(const Repository& repository, const Branch& branch) {
  Branch reset = branch;
  reset.staging_token = make_staging_token(repository.id, branch.id);
  reset.sealed_tokens.clear();
  co_return reset;
}

Task<std::optional<Branch>> moved_to(EngineParts& engine, Context& ctx,
                                     const Repository& repository, const Branch& branch,
                                     std::string_view target_ref) {
  if (!co_await engine.effectively_empty(ctx, repository, branch.sealed_tokens, branch.commit_id)) {
    throw Error(ErrorCode::dirty_branch, "uncommitted changes (dirty branch)");
  }
  const CommitPtr target =
      co_await engine.commit_of(ctx, repository, target_ref,
                                "hard-reset " + branch.id.str() + " to " + std::string(target_ref));
  Branch moved = branch;
  moved.commit_id = target->id;
  co_return moved;
}

/// Steps that make `differences` disappear from the current staging token.
void add_reset_ops(std::vector<kv::Op>& ops, const std::string& token, const std::string& key,
                   const std::optional<Value>& committed) {
  ops.push_back(committed ? set_op(token, key, *committed) : tombstone_op(token, key));
}

Task<std::vector<kv::Op>> reset_keys(EngineParts& engine, Context& ctx,
                                     const Repository& repository, const Branch& branch,
                                     const std::vector<std::string>& keys) {
  const auto staged = co_await engine.staging.get_first_many(ctx, staging_tokens(branch), keys);
  const auto committed = co_await engine.read_committed(ctx, repository, branch.commit_id, keys);
  std::vector<kv::Op> ops;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (!staged[i]) continue;
    const auto& value = staged[i]->value;
    const bool same =
        value ? committed[i] && committed[i]->identity == value->identity : !committed[i];
    if (!same) add_reset_ops(ops, branch.staging_token, keys[i], committed[i]);
  }
  co_return ops;
}

}  // namespace

Task<> Engine::reset_branch(Context& ctx, const Repository& repository, const BranchId& branch,
                            WriteOptions options) {
  co_await check_write(ctx, repository, branch, options);
  const auto turn = co_await impl_->take_turn(ctx, repository, branch);
  std::vector<std::string> dropped;
  co_await impl_->branches.update(ctx, repository, branch, [&](const Branch& current) {
    dropped = staging_tokens(current);
    return without_staging(repository, current);
  });
  co_await impl_->discard(ctx, std::move(dropped));
}

Task<> Engine::reset_key(Context& ctx, const Repository& repository, const BranchId& branch,
                         std::string_view key, WriteOptions options) {
  co_await check_write(ctx, repository, branch, options);
  const std::vector<std::string> keys = {std::string(key)};
  co_await impl_->write_path.write(ctx, repository, branch, [&](const Branch& current) {
    return reset_keys(*impl_, ctx, repository, current, keys);
  });
}

Task<> Engine::reset_prefix(Context& ctx, const Repository& repository, const BranchId& branch,
                            std::string_view prefix, WriteOptions options) {
  if (prefix.empty()) {
    co_await reset_branch(ctx, repository, branch, options);
    co_return;
  }
  co_await check_write(ctx, repository, branch, options);
  // Key by key in batches: a write that races with the reset lands before or after it, never in
  // between, and nothing has to be held in memory.
  const auto differences = co_await diff_uncommitted(ctx, repository, branch);
  differences->seek(prefix);
  bool more = true;
  while (more) {
    std::vector<std::string> keys;
    while (keys.size() < kResetBatch) {
      more = (differences->next() || co_await differences->fill(ctx)) &&
             differences->difference().key.starts_with(prefix);
      if (!more) break;
      keys.push_back(differences->difference().key);
    }
    if (keys.empty()) break;
    co_await impl_->write_path.write(ctx, repository, branch, [&](const Branch& current) {
      return reset_keys(*impl_, ctx, repository, current, keys);
    });
  }
}

Task<> Engine::hard_reset(Context& ctx, const Repository& repository, const BranchId& branch,
                          std::string_view target_ref, WriteOptions options) {
  co_await impl_->branches.get(ctx, repository, branch);
  for (const BlockedAction action : {BlockedAction::staging_write, BlockedAction::commit}) {
    co_await impl_->require_unprotected(ctx, repository, branch, action, "protected branch");
  }
  EngineParts::require_writable(repository, options.force);
  const auto turn = co_await impl_->take_turn(ctx, repository, branch);
  co_await impl_->branches.update(ctx, repository, branch, [&](const Branch& current) {
    return moved_to(*impl_, ctx, repository, current, target_ref);
  });
}

}  // namespace tarn::versioning
