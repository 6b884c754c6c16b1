// From a reference expression to a commit, and to the branch or tag it was reached by.
#pragma once

#include <string_view>

#include "base/context.h"
#include "base/task.h"
#include "versioning/refs/branches.h"
#include "versioning/refs/commits.h"
#include "versioning/refs/ref_expression.h"
#include "versioning/refs/tags.h"

namespace tarn::versioning {

/// Thread-safe; borrows its parts. Order: full commit id, branch, tag, unique commit-id prefix.
class Resolver {
 public:
  Resolver(Branches& branches, Tags& tags, Commits& commits)
      : branches_(branches), tags_(tags), commits_(commits) {}

  /// Error{not_found} "not found" for a base that names nothing, an ambiguous prefix and `~` past
  /// the root; Error{invalid_argument} for a malformed expression, `^N` without such a parent,
  /// and `@` or `$` on what is no branch. Callers put their own context before the message.
  Task<ResolvedRef> resolve(Context& ctx, const Repository& repository, std::string_view text);
  /// As resolve(), and refuses `$` with Error{invalid_argument}
  /// "reference '<text>': reference to staging area with $ is not a commit".
  Task<ResolvedRef> resolve_to_commit(Context& ctx, const Repository& repository,
                                      std::string_view text);

 private:
  Task<ResolvedRef> resolve_base(Context& ctx, const Repository& repository,
                                 const RefExpression& expression);
  Task<CommitId> follow(Context& ctx, const Repository& repository, CommitId id,
                        RefModifier modifier);
  Branches& branches_;
  Tags& tags_;
  Commits& commits_;
};

}  // namespace tarn::versioning
