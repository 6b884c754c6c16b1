// Runs the operations of model_test_support.h on an engine and on the model, and compares.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "versioning/model_test_support.h"
#include "versioning/test_engine.h"

namespace tarn::versioning::model {

/// The engine did not do what the model says.
struct Mismatch : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Planted in the model to show that differences are found and made small.
enum class Bug : std::uint8_t { none, revert_forgets_removed_keys };

class Driver {
 public:
  Driver(EngineOn& server, Repository repository, Bug bug)
      : server_(server), engine_(server.engine), repository_(std::move(repository)), bug_(bug) {}

  Task<> start(Context& ctx);
  /// Throws Mismatch.
  Task<> step(Context& ctx, const Op& op);
  /// Everything that can be looked at.
  Task<> check_all(Context& ctx);

 private:
  /// A reference as text and what it means.
  struct Ref {
    std::string text;
    std::optional<ErrorCode> error;  // what naming a commit with it ends in
    std::size_t commit = 0;
    std::string staged;   // the branch whose staging area reads see
    bool dollar = false;  // then `commit` and `staged` are set although error is too
  };

  /// How an operation ended: an error's code, or nothing.
  using Outcome = std::optional<ErrorCode>;

  // Choices, all of them total.
  std::string branch_name(std::uint32_t pick) const;
  Ref ref(std::uint32_t pick, std::uint32_t form) const;
  Tree visible(const Ref& ref) const;

  ModelBranch& branch(const std::string& name) { return state_.branches.at(name); }

  const Tree& head_tree(const std::string& name) const;
  bool is_clean(const std::string& name) const;

  Task<> write(Context& ctx, const Op& op);
  Task<> remove(Context& ctx, const Op& op);
  Task<> commit(Context& ctx, std::string name, bool allow_empty);
  Task<> create_branch(Context& ctx, const Op& op);
  Task<> delete_branch(Context& ctx, const Op& op);
  Task<> tag(Context& ctx, const Op& op);
  Task<> merge(Context& ctx, const Op& op);
  Task<> revert(Context& ctx, const Op& op);
  Task<> cherry_pick(Context& ctx, const Op& op);
  Task<> reset(Context& ctx, const Op& op);
  Task<> move(Context& ctx, const Op& op);
  Task<> diff(Context& ctx, const Op& op);
  Task<> compare(Context& ctx, const Op& op);
  Task<> diff_uncommitted(Context& ctx, const Op& op);
  Task<> list(Context& ctx, const Op& op);
  Task<> get(Context& ctx, const Op& op);

  /// Compares a new commit with what it must be, and makes it the branch's head.
  Task<> adopt(Context& ctx, const std::string& name, const CommitId& id, Tree tree,
               std::vector<std::size_t> parents, std::int32_t generation);
  /// A tree that a revert or cherry-pick ended in. An equal tree may have been cut into the same
  /// ranges as the head's, or not: only then is "no changes" up to the engine.
  Task<> adopt_replayed(Context& ctx, const std::string& name, const Outcome& outcome,
                        const std::optional<Commit>& made, Tree tree, bool empty_allowed);
  Task<> expect_rows(Context& ctx, DiffStream& stream, Rows expected, std::uint32_t seek_pick,
                     std::string_view what);

  EngineOn& server_;
  Engine& engine_;
  const Repository repository_;
  const Bug bug_;
  State state_;
};

/// Text of the first mismatch and the number of the operation, or nullopt.
struct Failure {
  std::size_t at = 0;
  std::string text;
};

Task<std::optional<Failure>> run_ops(Context& ctx, EngineOn& server, std::string repository,
                                     std::vector<Op> ops, Bug bug);

}  // namespace tarn::versioning::model
