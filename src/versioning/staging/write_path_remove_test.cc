// Deletions through the write path.
#include "versioning/staging/write_path.h"
#include "versioning/staging/write_path_test_support.h"

namespace tarn::versioning {
namespace {

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

}  // namespace
}  // namespace tarn::versioning
