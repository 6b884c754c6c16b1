#include "versioning/refs/resolver.h"

#include <utility>

#include "base/error.h"
#include "io/sync.h"

namespace tarn::versioning {
namespace {

constexpr std::size_t kCommitIdSize = 64;
constexpr std::uint64_t kYieldEvery = 500;

[[noreturn]] void throw_invalid() {
  throw Error(ErrorCode::invalid_argument, "ref: invalid value: validation error");
}

/// `@` or `$`: what of a branch is seen, rather than another commit.
bool is_view(RefModifier modifier) {
  return modifier.kind == RefModifier::Kind::committed ||
         modifier.kind == RefModifier::Kind::staged;
}

ResolvedRef at_commit(CommitId id) {
  return {.kind = ResolvedRef::Kind::commit,
          .branch = std::nullopt,
          .name = id.str(),
          .commit_id = std::move(id)};
}

ResolvedRef at_branch(Branch branch) {
  std::string name = branch.id.str();
  CommitId head = branch.commit_id;
  return {.kind = ResolvedRef::Kind::branch,
          .branch = std::move(branch),
          .name = std::move(name),
          .commit_id = std::move(head),
          .staged = true};
}

}  // namespace

Task<ResolvedRef> Resolver::resolve_base(Context& ctx, const Repository& repository,
                                         const RefExpression& expression) {
  const std::string& base = expression.base;
  if (base.size() == kCommitIdSize) {
    if (auto id = CommitId::parse(base)) {
      if (co_await commits_.find(ctx, repository, *id)) co_return at_commit(*std::move(id));
    }
  }
  // Branches are what nearly everyone asks for: no read is spent on the tag before they miss.
  if (auto id = BranchId::parse(base)) {
    auto branch = co_await branches_.find(ctx, repository, *id);
    if (branch) co_return at_branch(*std::move(branch));
  }
  if (auto id = TagId::parse(base)) {
    auto tag = co_await tags_.find(ctx, repository, *id);
    if (tag) {
      co_return ResolvedRef{.kind = ResolvedRef::Kind::tag,
                            .branch = std::nullopt,
                            .name = base,
                            .commit_id = std::move(tag->commit_id)};
    }
  }
  if (base.size() < kCommitIdSize && looks_like_commit_id(base)) {
    const CommitPtr commit = co_await commits_.find_by_prefix(ctx, repository, base);
    if (commit) co_return at_commit(commit->id);
  }
  throw Error(ErrorCode::not_found, "not found");
}

Task<CommitId> Resolver::follow(Context& ctx, const Repository& repository, CommitId id,
                                RefModifier modifier) {
  if (modifier.kind == RefModifier::Kind::parent) {
    if (modifier.count == 0) co_return id;
    const CommitPtr commit = co_await commits_.get(ctx, repository, id);
    if (modifier.count > commit->parents.size()) throw_invalid();
    co_return commit->parents[modifier.count - 1];
  }
  for (std::uint64_t step = 1; step <= modifier.count; ++step) {
    const CommitPtr commit = co_await commits_.get(ctx, repository, id);
    if (commit->parents.empty()) throw Error(ErrorCode::not_found, "not found");
    id = commit->parents.front();
    if (step % kYieldEvery == 0) {
      ctx.check_deadline();
      co_await io::yield();
    }
  }
  co_return id;
}

Task<ResolvedRef> Resolver::resolve(Context& ctx, const Repository& repository,
                                    std::string_view text) {
  const auto expression = parse_ref(text);
  if (!expression) throw Error(ErrorCode::invalid_argument, expression.error().message);
  ResolvedRef ref = co_await resolve_base(ctx, repository, *expression);
  if (expression->modifiers.empty()) co_return ref;
  if (is_view(expression->modifiers.front())) {
    if (!combines_well(*expression) || ref.kind != ResolvedRef::Kind::branch) throw_invalid();
    ref.staged = ref.dollar = expression->modifiers.front().kind == RefModifier::Kind::staged;
    co_return ref;
  }
  CommitId id = std::move(ref.commit_id);
  for (const RefModifier modifier : expression->modifiers) {
    // Judged in order, as by the reference: past the root is "not found" before a later `$` counts.
    if (is_view(modifier)) throw_invalid();
    id = co_await follow(ctx, repository, std::move(id), modifier);
  }
  co_return at_commit(std::move(id));
}

Task<ResolvedRef> Resolver::resolve_to_commit(Context& ctx, const Repository& repository,
                                              std::string_view text) {
  ResolvedRef ref = co_await resolve(ctx, repository, text);
  if (ref.dollar) {
    throw Error(
        ErrorCode::invalid_argument,
        "reference '" + std::string(text) + "': reference to staging area with $ is not a commit");
  }
  co_return ref;
}

}  // namespace tarn::versioning
