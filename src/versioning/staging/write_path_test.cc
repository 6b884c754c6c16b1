#include "versioning/staging/write_path.h"

#include "versioning/staging/write_path_test_support.h"

namespace tarn::versioning {
namespace {

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
