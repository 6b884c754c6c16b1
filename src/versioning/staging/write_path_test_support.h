// A branch, its staging area and a store that can be interfered with: what tests of the write path
// share.
#pragma once

#include <boost/asio/this_coro.hpp>
#include <gtest/gtest.h>

#include "io/sync.h"
#include "io/task_group.h"
#include "kv/mem/mem_store.h"
#include "kv/testing/faulty_store.h"
#include "testing/co_test.h"
#include "versioning/refs/keys.h"
#include "versioning/staging/write_path.h"
#include "versioning/testing/hook_store.h"
#include "versioning/testing/records.h"

namespace tarn::versioning {

using testing::commit_id;
using testing::HookStore;
using testing::make_branch;
using testing::make_value;
using DeleteForm = WritePath::DeleteForm;

struct Writing : ::testing::Test {
  Task<std::vector<std::optional<Value>>> read(const CommitId& commit,
                                               const std::vector<std::string>& keys) {
    std::vector<std::optional<Value>> values;
    for (const std::string& key : keys) {
      const auto& tree = trees[commit.str()];
      const auto found = tree.find(key);
      values.push_back(found == tree.end() ? std::nullopt : std::optional(found->second));
    }
    co_return values;
  }

  Task<> start(Context& ctx) { co_await branches.put(ctx, repository, make_branch("main", "t0")); }

  Task<Branch> branch(Context& ctx) { co_return co_await branches.get(ctx, repository, main); }

  // What other servers do, on the store below the hooks.

  Task<> seal(Context& ctx) {
    Branch changed = co_await branch(ctx);
    changed.sealed_tokens.insert(changed.sealed_tokens.begin(), changed.staging_token);
    changed.staging_token = "t" + std::to_string(++tokens_made);
    co_await branches.put(ctx, repository, changed);
  }

  /// Takes what is in the sealed tokens now into a new commit.
  Task<> enumerate(Context& ctx) {
    Branch changed = co_await branch(ctx);
    const auto& base = trees[changed.commit_id.str()];
    tree_being_made = base;
    for (auto token = changed.sealed_tokens.rbegin(); token != changed.sealed_tokens.rend();
         ++token) {
      auto stream = Staging(kv).open(*token);
      while (stream->next() || co_await stream->fill(ctx)) {
        const std::string key(stream->record().key);
        if (stream->record().tombstone) {
          tree_being_made.erase(key);
        } else {
          tree_being_made[key] = stream->record().to_value();
        }
      }
    }
  }

  /// Installs the commit and cleans up, as promptly as anyone could.
  Task<> install(Context& ctx) {
    Branch changed = co_await branch(ctx);
    changed.commit_id = commit_id("made" + std::to_string(++commits_made));
    trees[changed.commit_id.str()] = tree_being_made;
    for (const std::string& token : std::exchange(changed.sealed_tokens, {})) {
      std::vector<kv::Op> ops;
      auto stream = Staging(kv).open(token);
      while (stream->next() || co_await stream->fill(ctx)) {
        ops.push_back(erase_op(token, std::string(stream->record().key)));
      }
      co_await kv.run(ctx, std::move(ops));
    }
    co_await branches.put(ctx, repository, changed);
  }

  Task<> seal_and_enumerate(Context& ctx) {
    co_await seal(ctx);
    co_await enumerate(ctx);
  }

  Task<> whole_commit(Context& ctx) {
    co_await seal_and_enumerate(ctx);
    co_await install(ctx);
  }

  /// The text visible at `key`, "" for nothing.
  Task<std::string> visible(Context& ctx, std::string key) {
    const Branch now = co_await branch(ctx);
    const auto staged = co_await Staging(kv).get_first(ctx, staging_tokens(now), key);
    if (staged) co_return staged->value ? staged->value->data : "";
    const std::vector<std::string> keys{key};
    const auto values = co_await read(now.commit_id, keys);
    co_return values[0] ? values[0]->data : "";
  }

  /// "value", "tombstone" or "nothing" in a token.
  Task<std::string> staged(Context& ctx, std::string token, std::string key) {
    const auto record = co_await Staging(kv).get(ctx, token, key);
    co_return !record ? "nothing" : record->value ? "value" : "tombstone";
  }

  Task<> stage(Context& ctx, std::string token, std::string key, std::string text) {
    std::vector<kv::Op> ops;
    ops.push_back(text.empty() ? tombstone_op(token, key) : set_op(token, key, make_value(text)));
    co_await kv.run(ctx, std::move(ops));
  }

  bool is_branch_get(const kv::Op& op) const {
    return op.kind == kv::Op::Kind::get && op.address.key == keys::branch(main);
  }

  Task<> remove(Context& ctx, std::string key, DeleteForm form = DeleteForm::tombstone) {
    const std::vector<std::string> keys{key};
    const auto outcomes = co_await writes.remove(ctx, repository, main, keys, form);
    EXPECT_FALSE(outcomes.at(0));
  }

  kv::MemStore kv;
  HookStore hooked{kv};
  Branches branches{kv};
  Repository repository = testing::make_repository();
  BranchId main = BranchId::from_stored("main");
  std::map<std::string, std::map<std::string, Value>> trees;
  std::map<std::string, Value> tree_being_made;
  int tokens_made = 0;
  int commits_made = 0;
  WritePath writes{hooked,
                   [this](Context&, const Repository&, const CommitId& commit,
                          const std::vector<std::string>& keys) { return read(commit, keys); }};
};

/// Acts once, ahead of the n-th step that `applies`.
struct Once {
  Writing& self;
  std::function<bool(const kv::Op&)> applies;
  int nth;
  Task<> (Writing::*action)(Context&);
  int done = 0;

  Task<> act(Context& ctx, const kv::Op& op) {
    if (applies(op) && --nth == 0) {
      ++done;
      co_await (self.*action)(ctx);
    }
  }

  void install() {
    self.hooked.set_hook([this](Context& c, const kv::Op& op) { return act(c, op); });
  }
};

}  // namespace tarn::versioning
