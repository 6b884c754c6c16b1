// Every call to the stores fails once, before, halfway and after: what is left is the state before
// the operation or the one after it, and trying again gets there.
#include <functional>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/format.h"
#include "block/testing/faulty_store.h"
#include "kv/testing/faulty_store.h"
#include "testing/co_test.h"
#include "versioning/test_engine.h"

namespace tarn::versioning {
namespace {

using kv::testing::Fault;
using Rows = std::vector<std::string>;

BranchId branch(std::string name) {
  return BranchId::from_stored(std::move(name));
}

/// main: a0..a5 and k, with "k" removed again by its head; dev: b0..b2 on top of the first commit.
struct World : TestStores {
  kv::testing::FaultyStore faulty_kv{kv};
  block::testing::FaultyStore faulty_objects{objects};
  // Nothing cached, so that the object store is read.
  EngineOn server{
      faulty_kv, faulty_objects, {.range_raggedness_entries = 4, .memory_cache_bytes = 1}};
  EngineOn reader{kv, objects};
  std::optional<Repository> repo;

  Task<> build(Context& ctx) {
    repo = co_await server.repository(ctx);
    for (int i = 0; i < 6; ++i)
      co_await server.put(ctx, *repo, server.main, format("a{}", i), "1");
    co_await server.put(ctx, *repo, server.main, "k", "1");
    co_await server.commit(ctx, *repo, server.main);
    co_await server.engine.create_branch(ctx, *repo, branch("dev"), "main", false, false);
    for (int i = 0; i < 3; ++i)
      co_await server.put(ctx, *repo, branch("dev"), format("b{}", i), "1");
    co_await server.commit(ctx, *repo, branch("dev"));
    co_await server.engine.remove(ctx, *repo, server.main, {"k"}, {});
    co_await server.commit(ctx, *repo, server.main);
  }

  Task<> stage(Context& ctx) {
    co_await server.put(ctx, *repo, server.main, "a0", "2");
    co_await server.put(ctx, *repo, server.main, "s", "2");
    co_await server.put(ctx, *repo, server.main, "sz", "2");
    co_await server.engine.remove(ctx, *repo, server.main, {"a1"}, {});
  }

  /// All that can be seen of the repositories, read without faults, by another server.
  Task<Rows> state(Context& ctx) {
    Rows rows;
    const auto repositories = co_await reader.engine.list_repositories(ctx, {});
    for (const Repository& found : repositories.items) {
      rows.push_back("repository " + std::string(found.id.str()));
      if (found.state != RepositoryState::active) rows.back() += " in deletion";
      const auto branches = co_await reader.engine.list_branches(ctx, found, {}, true);
      const auto tags = co_await reader.engine.list_tags(ctx, found, {});
      for (const Tag& tag : tags.items)
        rows.push_back("tag " + std::string(tag.id.str()));
      for (const Branch& at : branches.items)
        co_await describe(ctx, reader, found, at, rows);
    }
    co_return rows;
  }

 private:
  static Task<> describe(Context& ctx, EngineOn& reader, const Repository& found, const Branch& at,
                         Rows& rows) {
    const std::string name(at.id.str());
    rows.push_back("branch " + name);
    for (const std::string& form : {name, name + "@"}) {
      for (const std::string& row : co_await reader.list(ctx, found, form))
        rows.push_back(form + ": " + row);
    }
  }
};

using Act = std::function<Task<>(Context&, World&)>;

struct Operation {
  std::string_view name;
  Act prepare;
  Act run;
  /// What a repetition may end in when the first try had come through after all.
  std::set<ErrorCode> done_already;
  bool objects = true;           // touches the object store
  bool partial_is_fine = false;  // several independent writes: each old or new
};

Task<> nothing(Context&, World&) {
  co_return;
}

Task<> stage(Context& ctx, World& w) {
  return w.stage(ctx);
}

Task<> commit(Context& ctx, World& w) {
  co_await w.server.commit(ctx, *w.repo, w.server.main);
}

Task<> merge(Context& ctx, World& w) {
  const auto merged =
      co_await w.server.engine.merge(ctx, *w.repo, w.server.main, "dev", {.committer = "c"});
  EXPECT_TRUE(merged.commit_id.has_value());
}

Task<> revert(Context& ctx, World& w) {
  // A number that stays what it is when the head moves.
  const Branch head = co_await w.server.engine.get_branch(ctx, *w.repo, branch("dev"));
  const auto base = co_await w.server.engine.get_commit(ctx, *w.repo, head.commit_id);
  co_await w.server.engine.revert(ctx, *w.repo, w.server.main, base->parents[0].str(),
                                  {.committer = "c"});
}

Task<> cherry_pick(Context& ctx, World& w) {
  co_await w.server.engine.cherry_pick(ctx, *w.repo, w.server.main, "dev", {.committer = "c"});
}

Task<> reset_branch(Context& ctx, World& w) {
  return w.server.engine.reset_branch(ctx, *w.repo, w.server.main, WriteOptions{});
}

Task<> reset_key(Context& ctx, World& w) {
  co_await w.server.engine.reset_key(ctx, *w.repo, w.server.main, "a0", {});
}

Task<> reset_prefix(Context& ctx, World& w) {
  co_await w.server.engine.reset_prefix(ctx, *w.repo, w.server.main, "s", {});
}

Task<> hard_reset(Context& ctx, World& w) {
  co_await w.server.engine.hard_reset(ctx, *w.repo, w.server.main, "dev", {});
}

Task<> repoint(Context& ctx, World& w) {
  co_await w.server.engine.repoint_branch(ctx, *w.repo, w.server.main, "dev", false);
}

Task<> create_branch(Context& ctx, World& w) {
  co_await w.server.engine.create_branch(ctx, *w.repo, branch("new"), "dev", false, false);
}

Task<> delete_branch(Context& ctx, World& w) {
  co_await w.server.engine.delete_branch(ctx, *w.repo, branch("dev"), false);
}

Task<> create_tag(Context& ctx, World& w) {
  co_await w.server.engine.create_tag(ctx, *w.repo, TagId::from_stored("v1"), "dev", false);
}

Task<> delete_tag(Context& ctx, World& w) {
  co_await w.server.engine.delete_tag(ctx, *w.repo, TagId::from_stored("v1"), false);
}

Task<> create_repository(Context& ctx, World& w) {
  co_await w.server.repository(ctx, "another");
}

Task<> delete_repository(Context& ctx, World& w) {
  co_await w.server.engine.delete_repository(ctx, w.repo->id, false);
}

Task<> write(Context& ctx, World& w) {
  co_await w.server.put(ctx, *w.repo, w.server.main, "a3", "2");
}

Task<> remove(Context& ctx, World& w) {
  const auto outcomes = co_await w.server.engine.remove(ctx, *w.repo, w.server.main, {"a3"}, {});
  if (outcomes[0]) throw *outcomes[0];
}

std::vector<Operation> operations() {
  using enum ErrorCode;
  return {{"Commit", stage, commit, {no_changes}},
          {"Merge", nothing, merge, {no_changes}},
          {"Revert", nothing, revert, {no_changes}},
          {"CherryPick", nothing, cherry_pick, {no_changes}},
          {"ResetBranch", stage, reset_branch, {}},
          {"ResetKey", stage, reset_key, {}},
          {"ResetPrefix", stage, reset_prefix, {}, true, true},
          {"HardReset", nothing, hard_reset, {}},
          {"Repoint", nothing, repoint, {}},
          {"CreateBranch", nothing, create_branch, {already_exists}, false},
          {"DeleteBranch", nothing, delete_branch, {branch_not_found}, false},
          {"CreateTag", nothing, create_tag, {already_exists}, false},
          {"DeleteTag", create_tag, delete_tag, {tag_not_found}, false},
          {"CreateRepository", nothing, create_repository, {already_exists}, false},
          {"DeleteRepository", stage, delete_repository, {repository_not_found}, false, true},
          {"Write", stage, write, {}, false},
          {"Remove", stage, remove, {}}};
}

class EngineFaults : public ::testing::TestWithParam<Operation> {};

struct States {
  Rows before;
  Rows after;
};

Task<States> states_without_faults(Context& ctx, const Operation& operation) {
  World w;
  co_await w.build(ctx);
  co_await operation.prepare(ctx, w);
  States states{.before = co_await w.state(ctx), .after = {}};
  co_await operation.run(ctx, w);
  states.after = co_await w.state(ctx);
  EXPECT_NE(states.before, states.after);
  co_return states;
}

/// What the operation ended in.
Task<std::optional<ErrorCode>> ends_in(Context& ctx, World& w, const Operation& operation) {
  try {
    co_await operation.run(ctx, w);
  } catch (const Error& error) {
    co_return error.code();
  }
  co_return std::nullopt;
}

Task<> check_after_fault(Context& ctx, World& w, const Operation& operation, const States& states,
                         std::optional<ErrorCode> ended) {
  const Rows left = co_await w.state(ctx);
  if (!ended) {
    EXPECT_EQ(left, states.after) << "succeeded, but not so";
  } else if (!operation.partial_is_fine) {
    EXPECT_TRUE(left == states.before || left == states.after) << ::testing::PrintToString(left);
  }
  const auto again = co_await ends_in(ctx, w, operation);
  if (again && (!ended || left != states.after)) {
    // After a success only the outcomes of "done already" make sense, and neither do others.
    EXPECT_TRUE(!ended && operation.done_already.contains(*again)) << to_string(*again);
  } else if (again) {
    EXPECT_TRUE(operation.done_already.contains(*again)) << to_string(*again);
  }
  co_await w.server.engine.clean_up(ctx);
  EXPECT_EQ(co_await w.state(ctx), states.after) << "after another try";
}

Task<> fail_store_calls(Context& ctx, const Operation& operation, const States& states,
                        Fault fault) {
  for (std::uint64_t n = 1;; ++n) {
    SCOPED_TRACE(format("store call {}, fault {}", n, static_cast<int>(fault)));
    World w;
    co_await w.build(ctx);
    co_await operation.prepare(ctx, w);
    w.faulty_kv.fail_nth(n, fault);
    const auto ended = co_await ends_in(ctx, w, operation);
    const bool struck = w.faulty_kv.failures() > 0;
    w.faulty_kv.heal();
    co_await check_after_fault(ctx, w, operation, states, ended);
    co_await w.server.committed.close();
    if (!struck) break;
    CO_ASSERT_TRUE(n < 200);
  }
}

Task<> fail_object_calls(Context& ctx, const Operation& operation, const States& states) {
  for (std::uint64_t n = 1;; ++n) {
    SCOPED_TRACE(format("object call {}", n));
    World w;
    co_await w.build(ctx);
    co_await operation.prepare(ctx, w);
    w.faulty_objects.fail_nth(n);
    const auto ended = co_await ends_in(ctx, w, operation);
    const bool struck = w.faulty_objects.calls() >= n;
    w.faulty_objects.never_fail();
    co_await check_after_fault(ctx, w, operation, states, ended);
    co_await w.server.committed.close();
    if (!struck) break;
    CO_ASSERT_TRUE(n < 500);
  }
}

CO_TEST_P(EngineFaults, LeaveTheOldStateOrTheNewAndCanBeTriedAgain) {
  const Operation& operation = self.GetParam();
  const States states = co_await states_without_faults(ctx, operation);
  for (const Fault fault : {Fault::before, Fault::midway, Fault::after})
    co_await fail_store_calls(ctx, operation, states, fault);
  if (operation.objects) co_await fail_object_calls(ctx, operation, states);
}

INSTANTIATE_TEST_SUITE_P(Operations, EngineFaults, ::testing::ValuesIn(operations()),
                         [](const auto& operation) { return std::string(operation.param.name); });

}  // namespace
}  // namespace tarn::versioning
