// Engine: values, as seen at a ref and as staged on a branch.
#include "base/error.h"
#include "versioning/engine_parts.h"

namespace tarn::versioning {

namespace {

/// Opens the committed tree below the staged changes on first use: finding the tree is I/O, and
/// Engine::list() must not wait.
class RefStream final : public RecordStream {
 public:
  RefStream(EngineParts& engine, Repository repository, ResolvedRef ref, std::string_view from,
            std::uint32_t likely_records)
      : engine_(engine),
        repository_(std::move(repository)),
        ref_(std::move(ref)),
        from_(from),
        likely_records_(likely_records) {}

  bool next() override { return stream_ != nullptr && stream_->next(); }

  Task<bool> fill(Context& ctx) override {
    if (stream_ == nullptr) {
      const CommitPtr commit = co_await engine_.commits.get(ctx, repository_, ref_.commit_id);
      std::vector<std::unique_ptr<RecordStream>> streams;
      if (ref_.staged && ref_.branch) {
        for (const std::string& token : staging_tokens(*ref_.branch)) {
          streams.push_back(engine_.staging.open(token, likely_records_));
        }
      }
      streams.push_back(
          engine_.committed.open(repository_.storage_namespace, commit->meta_range_id));
      stream_ = combine(std::move(streams), Tombstones::drop);
      if (!from_.empty()) stream_->seek(from_);
      if (stream_->next()) co_return true;
    }
    co_return co_await stream_->fill(ctx);
  }

  void seek(std::string_view key) override {
    if (stream_ == nullptr) {
      from_ = key;
    } else {
      stream_->seek(key);
    }
  }

  const RecordView& record() const override { return stream_->record(); }

 private:
  EngineParts& engine_;
  const Repository repository_;
  const ResolvedRef ref_;
  std::string from_;
  const std::uint32_t likely_records_;
  std::unique_ptr<RecordStream> stream_;
};

/// The write itself finds out whether there is a branch; only a refusal has to know before.
Task<bool> may_refuse(EngineParts& engine, Context& ctx, const Repository& repository,
                      const BranchId& branch) {
  co_return repository.read_only || co_await engine.protection.is_protected(
                                        ctx, repository, branch, BlockedAction::staging_write);
}

}  // namespace

Task<> Engine::check_write(Context& ctx, const Repository& repository, const BranchId& branch,
                           WriteOptions options) {
  co_await impl_->branches.get(ctx, repository, branch);
  co_await impl_->require_unprotected(ctx, repository, branch, BlockedAction::staging_write,
                                      "cannot write to protected branch");
  EngineParts::require_writable(repository, options.force);
}

Task<std::optional<Value>> Engine::get(Context& ctx, const Repository& repository,
                                       const ResolvedRef& ref, std::string_view key) {
  if (ref.staged && ref.branch) {
    auto staged = co_await impl_->staging.get_first(ctx, staging_tokens(*ref.branch), key);
    if (staged) co_return std::move(staged->value);
  }
  const CommitPtr commit = co_await impl_->commits.get(ctx, repository, ref.commit_id);
  co_return co_await impl_->committed.get(ctx, repository.storage_namespace, commit->meta_range_id,
                                          key);
}

std::unique_ptr<RecordStream> Engine::list(const Repository& repository, const ResolvedRef& ref,
                                           std::string_view from, std::uint32_t likely_records) {
  return std::make_unique<RefStream>(*impl_, repository, ref, from, likely_records);
}

Task<> Engine::set(Context& ctx, const Repository& repository, const BranchId& branch,
                   std::string_view key, Value value, WriteOptions options) {
  if (co_await may_refuse(*impl_, ctx, repository, branch)) {
    co_await check_write(ctx, repository, branch, options);
  }
  co_await impl_->write_path.set(ctx, repository, branch, key, value);
}

Task<> Engine::set_if_absent(Context& ctx, const Repository& repository, const BranchId& branch,
                             std::string_view key, Value value, WriteOptions options) {
  co_await impl_->require_unprotected(ctx, repository, branch, BlockedAction::staging_write,
                                      "cannot write to protected branch");
  EngineParts::require_writable(repository, options.force);
  co_await impl_->write_path.set_if_absent(ctx, repository, branch, key, value);
}

Task<> Engine::update(Context& ctx, const Repository& repository, const BranchId& branch,
                      std::string_view key, Change change, WriteOptions options) {
  co_await impl_->require_unprotected(ctx, repository, branch, BlockedAction::staging_write,
                                      "cannot write to protected branch");
  EngineParts::require_writable(repository, options.force);
  co_await impl_->write_path.update(ctx, repository, branch, key, change);
}

Task<std::vector<std::optional<Error>>> Engine::remove(Context& ctx, const Repository& repository,
                                                       const BranchId& branch,
                                                       std::vector<std::string> keys,
                                                       WriteOptions options) {
  if (co_await may_refuse(*impl_, ctx, repository, branch)) {
    co_await check_write(ctx, repository, branch, options);
  }
  co_return co_await impl_->write_path.remove(ctx, repository, branch, keys,
                                              options.no_tombstone
                                                  ? WritePath::DeleteForm::no_tombstone
                                                  : WritePath::DeleteForm::tombstone);
}

}  // namespace tarn::versioning
