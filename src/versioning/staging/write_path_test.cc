#include "versioning/staging/write_path.h"

#include <boost/asio/this_coro.hpp>
#include <gtest/gtest.h>

#include "io/sync.h"
#include "io/task_group.h"
#include "kv/mem/mem_store.h"
#include "kv/testing/faulty_store.h"
#include "testing/co_test.h"
#include "versioning/refs/keys.h"
#include "versioning/testing/hook_store.h"
#include "versioning/testing/records.h"

namespace tarn::versioning {
namespace {

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

CO_TEST_F(Writing, SetTakesOneRoundTripOnceTheTokenIsKnown) {
  co_await self.start(ctx);
  co_await self.writes.set(ctx, self.repository, self.main, "a", make_value("1"));
  const std::size_t before = self.hooked.calls();
  co_await self.writes.set(ctx, self.repository, self.main, "b", make_value("2"));
  EXPECT_EQ(self.hooked.calls(), before + 1);
  EXPECT_EQ(co_await self.visible(ctx, "a"), "1");
  EXPECT_EQ(co_await self.visible(ctx, "b"), "2");
}

CO_TEST_F(Writing, SetNeedsABranch) {
  CO_EXPECT_ERROR(self.writes.set(ctx, self.repository, self.main, "a", make_value("1")),
                  ErrorCode::branch_not_found);
  co_await self.start(ctx);
  co_await self.writes.set(ctx, self.repository, self.main, "a", make_value("1"));
  co_await self.branches.remove(ctx, self.repository, self.main);
  CO_EXPECT_ERROR(self.writes.set(ctx, self.repository, self.main, "b", make_value("1")),
                  ErrorCode::branch_not_found);
  EXPECT_EQ(co_await self.staged(ctx, "t0", "b"), "nothing");
}

CO_TEST_F(Writing, SetIsRepeatedWhenACommitSealsBeforeTheCheck) {
  co_await self.start(ctx);
  // Known token: the steps of one run are the write and the check.
  co_await self.writes.set(ctx, self.repository, self.main, "first", make_value("1"));
  // The commit has sealed and read the token before our write reaches it.
  Once sealing{self, [](const kv::Op& op) { return op.address.key == "k"; }, 1,
               &Writing::seal_and_enumerate};
  sealing.install();
  co_await self.writes.set(ctx, self.repository, self.main, "k", make_value("2"));
  EXPECT_EQ(sealing.done, 1);
  EXPECT_EQ(co_await self.staged(ctx, "t1", "k"), "value");
  co_await self.install(ctx);  // a commit that did not see our write
  EXPECT_EQ(co_await self.visible(ctx, "k"), "2");
}

CO_TEST_F(Writing, SetGivesUpWhenTheTokenKeepsMoving) {
  co_await self.start(ctx);
  self.hooked.set_hook([&](Context& c, const kv::Op& op) {
    return op.kind != kv::Op::Kind::get ? self.seal(c) : io::yield();
  });
  CO_EXPECT_ERROR(self.writes.set(ctx, self.repository, self.main, "k", make_value("1")),
                  ErrorCode::too_many_tries);
  EXPECT_EQ(self.tokens_made, 3);
}

CO_TEST_F(Writing, AnOutdatedHintIsNotCountedAsAMove) {
  co_await self.start(ctx);
  co_await self.writes.set(ctx, self.repository, self.main, "a", make_value("1"));
  co_await self.seal(ctx);
  self.hooked.set_hook([&](Context& c, const kv::Op& op) {
    return op.kind != kv::Op::Kind::get && self.tokens_made < 3 && op.address.partition != "t0"
               ? self.seal(c)
               : io::yield();
  });
  co_await self.writes.set(ctx, self.repository, self.main, "k", make_value("2"));
  EXPECT_EQ(co_await self.staged(ctx, "t3", "k"), "value");
}

CO_TEST_F(Writing, AnOutdatedHintLeavesNothingInTheDroppedToken) {
  co_await self.start(ctx);
  co_await self.writes.set(ctx, self.repository, self.main, "a", make_value("1"));
  co_await self.whole_commit(ctx);
  co_await self.writes.set(ctx, self.repository, self.main, "k", make_value("2"));
  EXPECT_EQ(co_await self.staged(ctx, "t0", "k"), "nothing");
  EXPECT_EQ(co_await self.staged(ctx, "t1", "k"), "value");
}

CO_TEST_F(Writing, ARepeatedSetLeavesWhatCameAfterItAlone) {
  co_await self.start(ctx);
  co_await self.writes.set(ctx, self.repository, self.main, "a", make_value("1"));
  // A commit reads the token before our write reaches it; then somebody writes into the new one.
  int step = 0;
  self.hooked.set_hook([&](Context& c, const kv::Op& op) -> Task<> {
    if (op.address.key != "k") return io::yield();
    return ++step == 1 ? self.seal(c) : self.stage(c, "t1", "k", "newer");
  });
  co_await self.writes.set(ctx, self.repository, self.main, "k", make_value("ours"));
  EXPECT_EQ(step, 2);
  EXPECT_EQ(co_await self.visible(ctx, "k"), "newer");
}

CO_TEST_F(Writing, ARepeatedSetLeavesWhatCameAfterItAloneThoughThatIsSealedToo) {
  co_await self.start(ctx);
  co_await self.writes.set(ctx, self.repository, self.main, "a", make_value("1"));
  // Sealed before our write reaches the token; a newer write and another seal before we look.
  const auto meanwhile = [](Writing& world, Context& c) -> Task<> {
    co_await world.stage(c, "t1", "k", "newer");
    co_await world.seal(c);
  };
  int step = 0;
  self.hooked.set_hook([&](Context& c, const kv::Op& op) -> Task<> {
    if (op.address.key == "k" && step == 0) return ++step, self.seal(c);
    if (self.is_branch_get(op) && step == 1) return ++step, meanwhile(self, c);
    return io::yield();
  });
  co_await self.writes.set(ctx, self.repository, self.main, "k", make_value("ours"));
  EXPECT_EQ(step, 2);
  EXPECT_EQ(co_await self.visible(ctx, "k"), "newer");
}

CO_TEST_F(Writing, ARepeatedSetNeverReplacesWhatACommitTookAlong) {
  co_await self.start(ctx);
  co_await self.writes.set(ctx, self.repository, self.main, "a", make_value("1"));
  // Our write lies in a sealed token; while it is being repeated a newer one is committed, which
  // frees the key in the token it was going to.
  const auto meanwhile = [](Writing& world, Context& c) -> Task<> {
    co_await world.stage(c, "t1", "k", "newer");
    co_await world.whole_commit(c);
  };
  int step = 0;
  self.hooked.set_hook([&](Context& c, const kv::Op& op) -> Task<> {
    if (op.address.key == "k" && step == 0) return ++step, self.seal(c);
    if (op.kind == kv::Op::Kind::set_if && step == 1) return ++step, meanwhile(self, c);
    return io::yield();
  });
  CO_EXPECT_ERROR(self.writes.set(ctx, self.repository, self.main, "k", make_value("ours")),
                  ErrorCode::unavailable);
  EXPECT_EQ(step, 2);
  EXPECT_EQ(co_await self.visible(ctx, "k"), "newer");
  EXPECT_EQ(co_await self.staged(ctx, "t1", "k"), "nothing");
}

CO_TEST_F(Writing, AGuardedSetDoesNotTouchASealedToken) {
  for (const kv::Guard guard : {kv::Guard::close, kv::Guard::exact}) {
    self.hooked.set_guard(guard);
    co_await self.start(ctx);
    self.tokens_made = 0;
    co_await self.writes.set(ctx, self.repository, self.main, "a", make_value("1"));
    Once sealing{self, [](const kv::Op& op) { return op.address.key == "k"; }, 1, &Writing::seal};
    sealing.install();
    co_await self.writes.set(ctx, self.repository, self.main, "k", make_value("2"));
    EXPECT_EQ(co_await self.staged(ctx, "t0", "k"), "nothing");
    EXPECT_EQ(co_await self.staged(ctx, "t1", "k"), "value");
    self.hooked.set_hook({});
    co_await self.stage(ctx, "t1", "k", "");
  }
}

CO_TEST_F(Writing, AGuardedSetTakesOneRoundTripOnceTheBranchIsKnown) {
  for (const kv::Guard guard : {kv::Guard::close, kv::Guard::exact}) {
    self.hooked.set_guard(guard);
    co_await self.start(ctx);
    co_await self.writes.set(ctx, self.repository, self.main, "a", make_value("1"));
    const std::size_t before = self.hooked.calls();
    co_await self.writes.set(ctx, self.repository, self.main, "b", make_value("2"));
    EXPECT_EQ(self.hooked.calls(), before + 1);
  }
}

CO_TEST_F(Writing, AGuardedSetGivesUpWhenTheBranchKeepsChangingAndHasNotHappened) {
  self.hooked.set_guard(kv::Guard::exact);
  co_await self.start(ctx);
  self.hooked.set_hook(
      [&](Context& c, const kv::Op& op) { return op.guarded ? self.seal(c) : io::yield(); });
  CO_EXPECT_ERROR(self.writes.set(ctx, self.repository, self.main, "k", make_value("1")),
                  ErrorCode::too_many_tries);
  EXPECT_EQ(co_await self.visible(ctx, "k"), "");
}

/// A conditional write where the guard is exact: creation, or a change of what is visible.
struct Conditional {
  Writing& self;
  bool creates;

  Task<> run(Context& ctx, std::string key) {
    if (creates) {
      co_await self.writes.set_if_absent(ctx, self.repository, self.main, key, make_value("n"));
      co_return;
    }
    const WritePath::Change change = [](const std::optional<Value>& visible) {
      if (visible) throw Error(ErrorCode::precondition_failed, "taken");
      return make_value("n");
    };
    co_await self.writes.update(ctx, self.repository, self.main, key, change);
  }
};

CO_TEST_F(Writing, AGuardedConditionalWriteDoesNotTouchASealedToken) {
  self.hooked.set_guard(kv::Guard::exact);
  for (const bool creates : {true, false}) {
    co_await self.start(ctx);
    self.tokens_made = 0;
    co_await self.writes.set(ctx, self.repository, self.main, "a", make_value("1"));
    Once sealing{self, [](const kv::Op& op) { return op.kind == kv::Op::Kind::set_if; }, 1,
                 &Writing::seal};
    sealing.install();
    co_await Conditional{self, creates}.run(ctx, "k");
    EXPECT_EQ(sealing.done, 1);
    EXPECT_EQ(co_await self.staged(ctx, "t0", "k"), "nothing");
    EXPECT_EQ(co_await self.staged(ctx, "t1", "k"), "value");
    self.hooked.set_hook({});
    std::vector<kv::Op> ops;
    ops.push_back(erase_op("t1", "k"));
    co_await self.kv.run(ctx, std::move(ops));
  }
}

CO_TEST_F(Writing, AGuardedConditionalWriteSeesWhatACommitBroughtMeanwhile) {
  self.hooked.set_guard(kv::Guard::exact);
  for (const bool creates : {true, false}) {
    co_await self.branches.put(ctx, self.repository,
                               make_branch("main", "t" + std::to_string(++self.tokens_made)));
    co_await self.writes.set(ctx, self.repository, self.main, "a", make_value("1"));
    const std::string key = creates ? "k1" : "k2";
    const std::string token = (co_await self.branch(ctx)).staging_token;
    // Nothing is there when we look; then somebody stages the key, and a commit empties the token.
    int done = 0;
    self.hooked.set_hook([&](Context& c, const kv::Op& op) -> Task<> {
      const auto meanwhile = [](Writing& w, Context& x, std::string t, std::string k) -> Task<> {
        co_await w.stage(x, t, k, "theirs");
        co_await w.whole_commit(x);
      };
      if (op.kind != kv::Op::Kind::set_if || ++done > 1) return io::yield();
      return meanwhile(self, c, token, key);
    });
    CO_EXPECT_ERROR((Conditional{self, creates}.run(ctx, key)), ErrorCode::precondition_failed);
    self.hooked.set_hook({});
    EXPECT_EQ(done, 1);
    EXPECT_EQ(co_await self.visible(ctx, key), "theirs");
  }
}

CO_TEST_F(Writing, AGuardedConditionalWriteGivesUpWhenTheBranchKeepsChanging) {
  self.hooked.set_guard(kv::Guard::exact);
  co_await self.start(ctx);
  self.hooked.set_hook(
      [&](Context& c, const kv::Op& op) { return op.guarded ? self.seal(c) : io::yield(); });
  for (const bool creates : {true, false}) {
    CO_EXPECT_ERROR((Conditional{self, creates}.run(ctx, "k")), ErrorCode::too_many_tries);
    EXPECT_EQ(co_await self.visible(ctx, "k"), "");
  }
}

CO_TEST_F(Writing, AGuardedUpdateGivesUpOnAKeyOthersKeepWinning) {
  self.hooked.set_guard(kv::Guard::exact);
  co_await self.start(ctx);
  int n = 0;
  self.hooked.set_hook([&](Context& c, const kv::Op& op) {
    return op.guarded ? self.stage(c, "t0", "n", std::to_string(++n)) : io::yield();
  });
  const WritePath::Change change = [](const std::optional<Value>&) { return make_value("ours"); };
  CO_EXPECT_ERROR(self.writes.update(ctx, self.repository, self.main, "n", change),
                  ErrorCode::precondition_failed);
  EXPECT_EQ(n, 10);
}

CO_TEST_F(Writing, GuardedWritesTakeAsFewRoundTripsAsTheyCan) {
  self.hooked.set_guard(kv::Guard::exact);
  co_await self.start(ctx);
  const std::string commit = (co_await self.branch(ctx)).commit_id.str();
  self.trees[commit] = {{"committed", make_value("c")}, {"committed too", make_value("c")}};
  co_await self.stage(ctx, "t0", "staged", "x");
  co_await self.stage(ctx, "t0", "staged too", "x");
  co_await self.writes.set(ctx, self.repository, self.main, "a", make_value("1"));
  std::size_t before = self.hooked.calls();
  const auto taken = [&] {
    const std::size_t now = self.hooked.calls();
    return now - std::exchange(before, now);
  };
  co_await self.remove(ctx, "staged");
  EXPECT_EQ(taken(), 1U);
  co_await self.remove(ctx, "committed");
  EXPECT_EQ(taken(), 1U);
  co_await self.remove(ctx, "staged too", DeleteForm::no_tombstone);
  EXPECT_EQ(taken(), 1U);
  co_await self.remove(ctx, "committed too", DeleteForm::no_tombstone);
  EXPECT_EQ(taken(), 1U);
  co_await self.remove(ctx, "nowhere", DeleteForm::no_tombstone);
  EXPECT_EQ(taken(), 1U);
  co_await self.remove(ctx, "nowhere");  // or was the branch changed?
  EXPECT_EQ(taken(), 2U);
  co_await self.writes.set_if_absent(ctx, self.repository, self.main, "new", make_value("n"));
  EXPECT_EQ(taken(), 1U);
  co_await self.writes.update(ctx, self.repository, self.main, "new",
                              [](const std::optional<Value>& visible) {
                                if (!visible) throw Error(ErrorCode::not_found, "nothing there");
                                return make_value("m");
                              });
  EXPECT_EQ(taken(), 2U);
}

CO_TEST_F(Writing, SetIfAbsentLooksAtEverythingVisible) {
  co_await self.start(ctx);
  Branch branch = co_await self.branch(ctx);
  branch.sealed_tokens = {"s1", "s0"};
  co_await self.branches.put(ctx, self.repository, branch);
  self.trees[branch.commit_id.str()] = {{"committed", make_value("c")},
                                        {"deleted", make_value("c")},
                                        {"sealed-deleted", make_value("c")}};
  co_await self.stage(ctx, "t0", "staged", "x");
  co_await self.stage(ctx, "t0", "deleted", "");
  co_await self.stage(ctx, "s1", "sealed-deleted", "");
  co_await self.stage(ctx, "s0", "sealed-deleted", "old");
  co_await self.stage(ctx, "s0", "sealed", "x");
  for (const char* key : {"staged", "sealed", "committed"}) {
    CO_EXPECT_ERROR(
        self.writes.set_if_absent(ctx, self.repository, self.main, key, make_value("n")),
        ErrorCode::precondition_failed);
  }
  for (const char* key : {"deleted", "sealed-deleted", "unknown"}) {
    co_await self.writes.set_if_absent(ctx, self.repository, self.main, key, make_value("n"));
    EXPECT_EQ(co_await self.visible(ctx, key), "n") << key;
  }
}

CO_TEST_F(Writing, AGuardedSetIfAbsentLooksAtEverythingVisible) {
  self.hooked.set_guard(kv::Guard::exact);
  for (const bool sealed : {true, false}) {
    const std::string current = "cur" + std::to_string(++self.tokens_made);
    Branch branch = make_branch("main", current);
    if (sealed) branch.sealed_tokens = {"s1", "s0"};
    co_await self.branches.put(ctx, self.repository, branch);
    self.trees[branch.commit_id.str()] = {{"committed", make_value("c")},
                                          {"deleted", make_value("c")},
                                          {"sealed-deleted", make_value("c")}};
    co_await self.stage(ctx, current, "staged", "x");
    co_await self.stage(ctx, current, "deleted", "");
    co_await self.stage(ctx, current, "staged-deleted", "");
    co_await self.stage(ctx, "s1", "sealed-deleted", "");
    co_await self.stage(ctx, "s0", "sealed-deleted", "old");
    co_await self.stage(ctx, "s0", "sealed", "x");
    co_await self.writes.set(ctx, self.repository, self.main, "a", make_value("1"));
    for (const char* key : {"staged", "committed", sealed ? "sealed" : "sealed-deleted"}) {
      CO_EXPECT_ERROR(
          self.writes.set_if_absent(ctx, self.repository, self.main, key, make_value("n")),
          ErrorCode::precondition_failed);
    }
    for (const char* key :
         {"deleted", "staged-deleted", "unknown", sealed ? "sealed-deleted" : "sealed"}) {
      co_await self.writes.set_if_absent(ctx, self.repository, self.main, key, make_value("n"));
      EXPECT_EQ(co_await self.visible(ctx, key), "n") << key;
    }
  }
}

/// Every step lets the others go on first, so that their steps interleave.
Task<> take_turns(Context&, const kv::Op&) {
  return io::yield();
}

struct Tally {
  int stored = 0;
  int refused = 0;
};

Task<> try_to_create(Writing& self, Context& ctx, int writer, Tally& tally) {
  try {
    co_await self.writes.set_if_absent(ctx, self.repository, self.main, "k",
                                       make_value(std::to_string(writer)));
    ++tally.stored;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::precondition_failed);
    ++tally.refused;
  }
}

CO_TEST_F(Writing, OfConcurrentSetIfAbsentExactlyOneWins) {
  co_await self.start(ctx);
  self.hooked.set_hook(&take_turns);
  io::TaskGroup group;
  Tally tally;
  const auto executor = co_await boost::asio::this_coro::executor;
  for (int writer = 0; writer < 12; ++writer) {
    group.spawn(executor, "create", try_to_create(self, ctx, writer, tally));
  }
  co_await group.join();
  EXPECT_EQ(tally.stored, 1);
  EXPECT_EQ(tally.refused, 11);
}

Value incremented(const std::optional<Value>& value) {
  return make_value(std::to_string(value ? std::stoi(value->data) + 1 : 1));
}

Task<> increment(Writing& self, Context& ctx, int times, int& done) {
  for (int i = 0; i < times; ++i) {
    try {
      co_await self.writes.update(ctx, self.repository, self.main, "n", &incremented);
      ++done;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::precondition_failed);
    }
  }
}

CO_TEST_F(Writing, ConcurrentUpdatesLoseNothing) {
  co_await self.start(ctx);
  self.hooked.set_hook(&take_turns);
  io::TaskGroup group;
  int done = 0;
  const auto executor = co_await boost::asio::this_coro::executor;
  for (int writer = 0; writer < 3; ++writer) {
    group.spawn(executor, "increment", increment(self, ctx, 5, done));
  }
  co_await group.join();
  EXPECT_GE(done, 5);
  EXPECT_EQ(co_await self.visible(ctx, "n"), std::to_string(done));
}

CO_TEST_F(Writing, UpdateGivesUpOnAKeyOthersKeepWinning) {
  co_await self.start(ctx);
  int n = 0;
  self.hooked.set_hook([&](Context& c, const kv::Op& op) {
    return op.kind == kv::Op::Kind::set_if ? self.stage(c, "t0", "n", std::to_string(++n))
                                           : io::yield();
  });
  CO_EXPECT_ERROR(self.writes.update(ctx, self.repository, self.main, "n", &incremented),
                  ErrorCode::precondition_failed);
  EXPECT_EQ(n, 10);
}

CO_TEST_F(Writing, SetIfAbsentKnowsItsOwnSealedWrite) {
  co_await self.start(ctx);
  // Ahead of the second look at the branch: our write has landed, then was sealed unread.
  Once sealing{self, [&](const kv::Op& op) { return self.is_branch_get(op); }, 2, &Writing::seal};
  sealing.install();
  co_await self.writes.set_if_absent(ctx, self.repository, self.main, "k", make_value("mine"));
  EXPECT_EQ(sealing.done, 1);
  EXPECT_EQ(co_await self.staged(ctx, "t1", "k"), "value");
  EXPECT_EQ(co_await self.visible(ctx, "k"), "mine");
}

CO_TEST_F(Writing, SetIfAbsentKnowsItsOwnCommittedWrite) {
  co_await self.start(ctx);
  Once committing{self, [&](const kv::Op& op) { return self.is_branch_get(op); }, 2,
                  &Writing::whole_commit};
  committing.install();
  co_await self.writes.set_if_absent(ctx, self.repository, self.main, "k", make_value("mine"));
  EXPECT_EQ(committing.done, 1);
  EXPECT_EQ(co_await self.staged(ctx, "t1", "k"), "nothing");
  EXPECT_EQ(co_await self.visible(ctx, "k"), "mine");
}

CO_TEST_F(Writing, SetIfAbsentDoesNotFallBetweenSealedAndCommitted) {
  co_await self.start(ctx);
  co_await self.stage(ctx, "t0", "k", "theirs");
  co_await self.seal(ctx);
  co_await self.enumerate(ctx);
  // The commit ends and its token is emptied after we have read the branch.
  Once ending{self, [](const kv::Op& op) { return op.address.partition == "t0"; }, 1,
              &Writing::install};
  ending.install();
  CO_EXPECT_ERROR(self.writes.set_if_absent(ctx, self.repository, self.main, "k", make_value("n")),
                  ErrorCode::precondition_failed);
  EXPECT_EQ(ending.done, 1);
  EXPECT_EQ(co_await self.visible(ctx, "k"), "theirs");
}

std::vector<std::pair<DeleteForm, kv::Guard>> forms_and_guards() {
  return {{DeleteForm::tombstone, kv::Guard::none},
          {DeleteForm::no_tombstone, kv::Guard::none},
          {DeleteForm::tombstone, kv::Guard::exact},
          {DeleteForm::no_tombstone, kv::Guard::exact}};
}

CO_TEST_F(Writing, RemoveStagesWhatTheFormAsks) {
  co_await self.start(ctx);

  struct Case {
    const char* name;
    const char *current, *sealed, *committed;        // "value", "tombstone" or ""
    const char *tombstone_form, *no_tombstone_form;  // what is in the current token afterwards
  };

  const Case cases[] = {
      {"only-staged", "value", "", "", "tombstone", "nothing"},
      {"staged-tombstone", "tombstone", "", "", "tombstone", "nothing"},
      {"only-committed", "", "", "value", "tombstone", "tombstone"},
      {"staged-over-committed", "value", "", "value", "tombstone", "tombstone"},
      {"only-sealed", "", "value", "", "tombstone", "tombstone"},
      {"sealed-tombstone", "", "tombstone", "", "nothing", "nothing"},
      {"staged-over-sealed-tombstone", "value", "tombstone", "", "tombstone", "nothing"},
      {"sealed-tombstone-over-committed", "", "tombstone", "value", "tombstone", "tombstone"},
      {"nowhere", "", "", "", "nothing", "nothing"},
  };
  for (const auto& [form, guard] : forms_and_guards()) {
    self.hooked.set_guard(guard);
    Branch branch = make_branch("main", "cur");
    branch.sealed_tokens = {"sealed"};
    co_await self.branches.put(ctx, self.repository, branch);
    std::vector<std::string> keys;
    for (const Case& c : cases) {
      keys.emplace_back(c.name);
      for (const auto& [token, state] : {std::pair("cur", c.current), {"sealed", c.sealed}}) {
        const std::string text(state);
        std::vector<kv::Op> ops;
        ops.push_back(erase_op(token, c.name));
        if (text == "value") ops.push_back(set_op(token, c.name, make_value("x")));
        if (text == "tombstone") ops.push_back(tombstone_op(token, c.name));
        co_await self.kv.run(ctx, std::move(ops));
      }
      if (*c.committed != 0) self.trees[branch.commit_id.str()][c.name] = make_value("x");
    }
    keys.emplace_back("nowhere");  // twice
    const auto outcomes = co_await self.writes.remove(ctx, self.repository, self.main, keys, form);
    EXPECT_EQ(outcomes.size(), keys.size());
    for (const Case& c : cases) {
      EXPECT_EQ(co_await self.staged(ctx, "cur", c.name),
                form == DeleteForm::tombstone ? c.tombstone_form : c.no_tombstone_form)
          << c.name;
      EXPECT_EQ(co_await self.visible(ctx, c.name), "") << c.name;
    }
  }
}

CO_TEST_F(Writing, RemoveReportsKeysNoStoreCanHold) {
  co_await self.start(ctx);
  co_await self.stage(ctx, "t0", "k", "x");
  const std::vector<std::string> keys{"", "k", std::string(1'025, 'x')};
  const auto outcomes =
      co_await self.writes.remove(ctx, self.repository, self.main, keys, DeleteForm::tombstone);
  CO_ASSERT_EQ(outcomes.size(), 3U);
  CO_ASSERT_TRUE(outcomes[0] && outcomes[2]);
  EXPECT_EQ(outcomes[0]->code(), ErrorCode::invalid_argument);
  EXPECT_FALSE(outcomes[1]);
  EXPECT_EQ(co_await self.visible(ctx, "k"), "");
}

CO_TEST_F(Writing, RemoveIsRepeatedWhenACommitSealsBeforeTheCheck) {
  for (const DeleteForm form : {DeleteForm::tombstone, DeleteForm::no_tombstone}) {
    for (int nth = 1; nth <= 3; ++nth) {
      co_await self.branches.put(ctx, self.repository,
                                 make_branch("main", "t" + std::to_string(++self.tokens_made)));
      const std::string key = "k" + std::to_string(self.tokens_made);
      co_await self.writes.set(ctx, self.repository, self.main, key, make_value("x"));
      // Sealed, and enumerated with the value still in it, ahead of the n-th look at the branch.
      Once committing{self, [&](const kv::Op& op) { return self.is_branch_get(op); }, nth,
                      &Writing::whole_commit};
      committing.install();
      co_await self.remove(ctx, key, form);
      self.hooked.set_hook({});
      EXPECT_EQ(co_await self.visible(ctx, key), "") << nth;
    }
  }
}

CO_TEST_F(Writing, RemoveIsRepeatedWhenItsTokenHadAlreadyBeenRead) {
  for (const DeleteForm form : {DeleteForm::tombstone, DeleteForm::no_tombstone}) {
    for (const bool was_committed : {false, true}) {
      Branch branch = make_branch("main", "t" + std::to_string(++self.tokens_made));
      const std::string key = "k" + std::to_string(self.tokens_made);
      self.trees[branch.commit_id.str()].clear();
      if (was_committed) self.trees[branch.commit_id.str()][key] = make_value("x");
      co_await self.branches.put(ctx, self.repository, branch);
      co_await self.writes.set(ctx, self.repository, self.main, "other", make_value("x"));
      if (!was_committed) co_await self.stage(ctx, branch.staging_token, key, "x");
      // A commit reads the token ahead of the step that would have deleted the key in it.
      Once reading{self,
                   [&](const kv::Op& op) {
                     return op.address.key == key &&
                            op.kind == (was_committed                      ? kv::Op::Kind::set
                                        : form == DeleteForm::no_tombstone ? kv::Op::Kind::erase
                                                                           : kv::Op::Kind::set_if);
                   },
                   1, &Writing::seal_and_enumerate};
      reading.install();
      co_await self.remove(ctx, key, form);
      self.hooked.set_hook({});
      EXPECT_EQ(reading.done, 1);
      co_await self.install(ctx);
      EXPECT_EQ(co_await self.visible(ctx, key), "") << was_committed;
    }
  }
}

CO_TEST_F(Writing, AGuardedRemoveDoesNotTouchASealedToken) {
  self.hooked.set_guard(kv::Guard::exact);
  for (const DeleteForm form : {DeleteForm::tombstone, DeleteForm::no_tombstone}) {
    for (const bool was_committed : {false, true}) {
      for (const bool whole : {false, true}) {
        const std::string token = "t" + std::to_string(++self.tokens_made);
        Branch branch = make_branch("main", token);
        const std::string key = "k" + std::to_string(self.tokens_made);
        self.trees[branch.commit_id.str()].clear();
        if (was_committed) self.trees[branch.commit_id.str()][key] = make_value("x");
        co_await self.branches.put(ctx, self.repository, branch);
        co_await self.writes.set(ctx, self.repository, self.main, "other", make_value("x"));
        if (!was_committed) co_await self.stage(ctx, token, key, "x");
        Once reading{self, [](const kv::Op& op) { return op.guarded.has_value(); }, 1,
                     whole ? &Writing::whole_commit : &Writing::seal_and_enumerate};
        reading.install();
        co_await self.remove(ctx, key, form);
        self.hooked.set_hook({});
        EXPECT_EQ(reading.done, 1);
        EXPECT_EQ(co_await self.staged(ctx, token, key),
                  was_committed || whole ? "nothing" : "value");
        if (!whole) co_await self.install(ctx);
        EXPECT_EQ(co_await self.visible(ctx, key), "") << was_committed << whole;
      }
    }
  }
}

CO_TEST_F(Writing, AGuardedRemoveOfManyFinishesWhatACommitCutShort) {
  self.hooked.set_guard(kv::Guard::exact);
  for (const DeleteForm form : {DeleteForm::tombstone, DeleteForm::no_tombstone}) {
    for (int nth = 1; nth <= 6; ++nth) {
      Branch branch = make_branch("main", "t" + std::to_string(++self.tokens_made));
      co_await self.branches.put(ctx, self.repository, branch);
      self.trees[branch.commit_id.str()] = {{"b", make_value("x")}, {"d", make_value("x")}};
      co_await self.stage(ctx, branch.staging_token, "a", "x");
      co_await self.stage(ctx, branch.staging_token, "d", "x");
      co_await self.stage(ctx, branch.staging_token, "e", "x");
      Once committing{self, [](const kv::Op& op) { return op.guarded.has_value(); }, nth,
                      &Writing::whole_commit};
      committing.install();
      const std::vector<std::string> keys{"a", "b", "c", "d", "e"};
      co_await self.writes.remove(ctx, self.repository, self.main, keys, form);
      self.hooked.set_hook({});
      for (const std::string& key : keys)
        EXPECT_EQ(co_await self.visible(ctx, key), "") << key << nth;
    }
  }
}

CO_TEST_F(Writing, AGuardedRemoveGivesUpWhenTheBranchKeepsChanging) {
  self.hooked.set_guard(kv::Guard::exact);
  co_await self.start(ctx);
  co_await self.stage(ctx, "t0", "k", "x");
  self.hooked.set_hook(
      [&](Context& c, const kv::Op& op) { return op.guarded ? self.seal(c) : io::yield(); });
  CO_EXPECT_ERROR(self.remove(ctx, "k"), ErrorCode::too_many_tries);
  EXPECT_EQ(co_await self.visible(ctx, "k"), "x");
}

CO_TEST_F(Writing, RemoveNeedsABranchWhateverTheKeysAre) {
  for (const kv::Guard guard : {kv::Guard::none, kv::Guard::exact}) {
    self.hooked.set_guard(guard);
    CO_EXPECT_ERROR(self.remove(ctx, "k"), ErrorCode::branch_not_found);
    const std::vector<std::string> none{""};
    CO_EXPECT_ERROR(
        self.writes.remove(ctx, self.repository, self.main, none, DeleteForm::tombstone),
        ErrorCode::branch_not_found);
  }
}

CO_TEST_F(Writing, RemoveDoesNotFallBetweenSealedAndCommitted) {
  for (const auto& [form, guard] : forms_and_guards()) {
    self.hooked.set_guard(guard);
    co_await self.branches.put(ctx, self.repository, make_branch("main", "t0"));
    self.tokens_made = 0;
    self.trees.clear();
    co_await self.stage(ctx, "t0", "k", "theirs");
    co_await self.seal(ctx);
    co_await self.enumerate(ctx);
    Once ending{self,
                [](const kv::Op& op) {
                  return op.kind == kv::Op::Kind::get && op.address.partition == "t0";
                },
                1, &Writing::install};
    ending.install();
    co_await self.remove(ctx, "k", form);
    self.hooked.set_hook({});
    EXPECT_EQ(ending.done, 1);
    EXPECT_EQ(co_await self.visible(ctx, "k"), "");
  }
}

/// Like a reset of one key: a tombstone if there is a staged value.
struct TombstonePlan {
  Writing& self;
  Context& ctx;
  std::string key;
  int planned = 0;

  Task<std::vector<kv::Op>> make(const Branch& branch) {
    ++planned;
    const auto staged = co_await Staging(self.kv).get_first(ctx, staging_tokens(branch), key);
    std::vector<kv::Op> ops;
    if (staged && staged->value) ops.push_back(tombstone_op(branch.staging_token, key));
    co_return ops;
  }
};

CO_TEST_F(Writing, PlannedWritesAreMadeAgainForTheNewToken) {
  for (const kv::Guard guard : {kv::Guard::none, kv::Guard::exact}) {
    self.hooked.set_guard(guard);
    self.tokens_made = 0;
    co_await self.start(ctx);
    std::vector<kv::Op> ops;
    ops.push_back(erase_op("t1", "k"));
    co_await self.kv.run(ctx, std::move(ops));
    co_await self.stage(ctx, "t0", "k", "x");
    Once reading{self, [](const kv::Op& op) { return op.address.key == "k"; }, 1,
                 &Writing::seal_and_enumerate};
    reading.install();
    TombstonePlan plan{self, ctx, "k"};
    const WritePath::Plan make = [&](const Branch& branch) { return plan.make(branch); };
    co_await self.writes.write(ctx, self.repository, self.main, make);
    self.hooked.set_hook({});
    EXPECT_EQ(plan.planned, 2);
    if (guard == kv::Guard::exact) {
      EXPECT_EQ(co_await self.staged(ctx, "t0", "k"), "value");
    }
    EXPECT_EQ(co_await self.staged(ctx, "t1", "k"), "tombstone");
    co_await self.install(ctx);
    EXPECT_EQ(co_await self.visible(ctx, "k"), "");
  }
}

CO_TEST_F(Writing, AWriteThatFailedCanBeRepeated) {
  for (const auto fault :
       {kv::testing::Fault::before, kv::testing::Fault::midway, kv::testing::Fault::after}) {
    for (std::uint64_t n = 1; n <= 3; ++n) {
      kv::testing::FaultyStore faulty(self.kv);
      co_await self.branches.put(ctx, self.repository, make_branch("main", "t"));
      co_await self.stage(ctx, "t", "k", "before");
      WritePath writes(
          faulty, [&](Context&, const Repository&, const CommitId& commit,
                      const std::vector<std::string>& keys) { return self.read(commit, keys); });
      faulty.fail_nth(n, fault);
      int failures = 0;
      for (bool stored = false; !stored;) {
        try {
          co_await writes.set(ctx, self.repository, self.main, "k", make_value("after"));
          stored = true;
        } catch (const Error& error) {
          EXPECT_EQ(error.code(), ErrorCode::unavailable);
          ++failures;
        }
      }
      EXPECT_EQ(failures, n <= 2 ? 1 : 0);
      EXPECT_EQ(co_await self.visible(ctx, "k"), "after");
    }
  }
}

}  // namespace
}  // namespace tarn::versioning
