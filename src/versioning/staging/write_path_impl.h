// What the two ways of writing share: write_exactly.cc, where the store's guard is exact, and
// write_and_look.cc. Private to the write path.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "versioning/refs/keys.h"
#include "versioning/refs/record_codec.h"
#include "versioning/staging/staged_codec.h"
#include "versioning/staging/token_cache.h"
#include "versioning/staging/write_path.h"

namespace tarn::versioning {

/// Where the branch's record is.
struct BranchAddress {
  std::string partition;
  std::string key;

  std::string text() const { return partition + '/' + key; }

  kv::Op get_op() const { return kv::Op::get(partition, key); }
};

/// A branch whose state decides what may be concluded from records read one after the other.
bool same_state(const Branch& a, const Branch& b);
/// `write` that happens only while the branch is what `hint` says.
kv::Op tied(kv::Op write, const BranchAddress& at, const BranchHint& hint);
/// A tombstone over the record, if there is one.
kv::Op bury_op(const std::string& token, const std::string& key);
bool all_stored(const std::vector<kv::OpResult>& results);

struct WritePath::Impl {
  /// Counts how often the token moved under a write.
  struct Moves {
    std::size_t left;

    void count() {
      if (--left == 0) throw Error(ErrorCode::too_many_tries, "too many tries");
    }
  };

  /// What update() decides on.
  struct Seen {
    Branch branch;
    std::string stored;                  // its record
    std::optional<std::string> current;  // stored in the current token
    std::optional<Value> value;          // what is visible
    bool staged = false;                 // a staged record decided, not the commit
  };

  /// Steps that make one try of remove().
  struct RemovePlan {
    std::vector<kv::Op> ops;
    std::vector<std::string> rest;  // keys that are nowhere but, perhaps, in the current token

    /// Else the steps are right whatever becomes of the branch.
    bool depends_on_state() const { return !rest.empty(); }
  };

  Impl(kv::Store& store, ReadCommitted read, WritePathConfig c)
      : kv(store),
        staging(store),
        read_committed(std::move(read)),
        config(c),
        tokens(c.token_cache_entries) {}

  static BranchAddress address(const Repository& repository, const BranchId& branch) {
    return {repository.partition(), keys::branch(branch)};
  }

  Moves moves() const { return {std::max<std::size_t>(config.tries, 1)}; }

  Branch remember(const BranchAddress& at, const std::optional<std::string>& stored) {
    if (!stored) {
      tokens.forget(at.text());
      throw Error(ErrorCode::branch_not_found, "branch not found");
    }
    Branch branch = decode_branch(*stored);
    tokens.put(at.text(), {branch.staging_token, *stored});
    return branch;
  }

  Task<Branch> read_branch(Context& ctx, const BranchAddress& at) {
    co_return remember(at, co_await kv.get(ctx, at.partition, at.key));
  }

  Task<BranchHint> read_hint(Context& ctx, const BranchAddress& at) {
    auto stored = co_await kv.get(ctx, at.partition, at.key);
    const Branch branch = remember(at, stored);
    co_return BranchHint{branch.staging_token, *std::move(stored)};
  }

  bool sole_writer() const { return !config.other_servers; }

  /// Whether nothing can be written into a token that is sealed.
  bool exact() const { return kv.guard() == kv::Guard::exact; }

  /// "" if unknown.
  std::string hinted_token(const BranchAddress& at) {
    auto hint = tokens.find(at.text());
    return hint ? std::move(hint->token) : std::string();
  }

  /// Runs `ops`, then reads the branch; `ops` get their results.
  Task<Branch> run_and_look(Context& ctx, const BranchAddress& at, std::vector<kv::Op> ops,
                            std::vector<kv::OpResult>& results) {
    ops.push_back(at.get_op());
    results = co_await kv.run(ctx, std::move(ops));
    Branch branch = remember(at, results.back().found);
    results.pop_back();
    co_return branch;
  }

  // Each of set(), update(), remove() and write() has a form for stores that tell exactly whether
  // the branch was still what we thought, and one that looks at it after the write.

  Task<> set_exactly(Context& ctx, const BranchAddress& at, const std::string& name,
                     const std::string& record, BranchHint hint, bool hinted);
  Task<> set_and_look(Context& ctx, const Repository& repository, const BranchAddress& at,
                      const std::string& name, const Value& value, BranchHint hint, bool hinted);
  /// Whether a record that has `landed` in a token that was sealed needs no repetition: a commit
  /// took it along, or somebody has replaced it since.
  Task<bool> is_done(Context& ctx, const Repository& repository, const Branch& branch,
                     const std::string& name, const Value& value, const std::string& landed);
  /// update() where the branch is known, and `change` wants to write where nothing is visible, and
  /// nothing is; false: not so, or lost.
  Task<bool> create_at_once(Context& ctx, const Repository& repository, const BranchAddress& at,
                            const std::string& name, const Change& change);
  Task<std::optional<Seen>> look(Context& ctx, const Repository& repository,
                                 const BranchAddress& at, const std::string& key);
  Task<> update_exactly(Context& ctx, const Repository& repository, const BranchAddress& at,
                        const std::string& name, const Change& change);
  Task<> update_and_look(Context& ctx, const Repository& repository, const BranchAddress& at,
                         const std::string& name, const Change& change);
  /// Between tries on a key that others keep writing.
  Task<> back_off(Context& ctx, std::size_t races);
  Task<RemovePlan> plan_removal(Context& ctx, const Repository& repository, const Branch& branch,
                                const std::vector<std::string>& keys, DeleteForm form);
  Task<> remove_exactly(Context& ctx, const Repository& repository, const BranchAddress& at,
                        std::vector<std::string> keys, DeleteForm form);
  Task<> remove_and_look(Context& ctx, const Repository& repository, const BranchAddress& at,
                         const std::vector<std::string>& keys, DeleteForm form);
  Task<> write_exactly(Context& ctx, const BranchAddress& at, const Plan& plan);
  Task<> write_and_look(Context& ctx, const BranchAddress& at, const Plan& plan);

  kv::Store& kv;
  Staging staging;
  ReadCommitted read_committed;
  WritePathConfig config;
  TokenCache tokens;
};

}  // namespace tarn::versioning
