// Writers, committers, mergers and a clean-up at once, on several threads and on two servers that
// share their stores. Each key has one writer and its values are numbered, so that what a reader or
// a commit may see follows from what was acknowledged.
#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/format.h"
#include "io/loops.h"
#include "io/sync.h"
#include "io/task_group.h"
#include "testing/co_test.h"
#include "versioning/test_engine.h"

namespace tarn::versioning {
namespace {

using Rows = std::vector<std::string>;
using Tree = std::map<std::string, int>;

constexpr int kWriters = 4;
constexpr int kRounds = 40;  // values per key of a writer
constexpr int kKeys = 3;     // per writer

BranchId branch(std::string name) {
  return BranchId::from_stored(std::move(name));
}

struct World : TestStores {
  EngineOn first{kv, objects};
  EngineOn second{kv, objects};
  std::optional<Repository> repo;
  std::atomic<int> writers{0};  // still writing
  std::atomic<int> commits{0};
  std::mutex mutex;
  Tree last;                        // guarded; the number last acknowledged, by key
  std::vector<std::string> faults;  // guarded; what must not have happened

  EngineOn& server(int n) { return n % 2 == 0 ? first : second; }

  void acknowledged(const std::string& key, int number) {
    const std::lock_guard lock(mutex);
    last[key] = number;
  }

  void fault(std::string text) {
    const std::lock_guard lock(mutex);
    faults.push_back(std::move(text));
  }
};

Task<Tree> tree_at(Context& ctx, EngineOn& server, const Repository& repo, std::string ref) {
  Tree tree;
  for (const std::string& row : co_await server.list(ctx, repo, ref)) {
    const std::size_t equals = row.find('=');
    // "<key>#<number>"
    tree[row.substr(0, equals)] = std::stoi(row.substr(row.rfind('#') + 1));
  }
  co_return tree;
}

/// Reads a branch that others commit to: a clean-up may empty the tokens of a record read before.
Task<std::optional<Value>> read(Context& ctx, EngineOn& server, const Repository& repo,
                                std::string ref, std::string key) {
  for (;;) {
    const ResolvedRef before = co_await server.engine.resolve(ctx, repo, ref);
    auto value = co_await server.engine.get(ctx, repo, before, key);
    const ResolvedRef after = co_await server.engine.resolve(ctx, repo, ref);
    if (before.branch->sealed_tokens == after.branch->sealed_tokens &&
        before.branch->staging_token == after.branch->staging_token &&
        before.commit_id == after.commit_id) {
      co_return value;
    }
  }
}

std::string text_of(const std::string& key, int number) {
  return format("{}#{}", key, number);
}

/// Commits if there is something to; an error is a fault.
Task<bool> try_commit(Context& ctx, World& w, EngineOn& server, BranchId on) {
  try {
    co_await server.commit(ctx, *w.repo, on);
    ++w.commits;
    co_return true;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::no_changes) w.fault("commit: " + error.message());
  }
  co_return false;
}

Task<> run_writer(World& w, int id, std::string on) {
  Context ctx;
  const BranchId to = branch(on);
  for (int round = 1; round <= kRounds; ++round) {
    for (int k = 0; k < kKeys; ++k) {
      const std::string key = format("{}/w{}/k{}", on, id, k);
      EngineOn& server = w.server(id + k);
      if (round % 7 == 6) {
        co_await server.engine.remove(ctx, *w.repo, to, {key}, {});
        if (co_await read(ctx, w.server(round), *w.repo, on, key)) w.fault(key + " is back");
        w.acknowledged(key, 0);
      } else if (round % 7 == 0) {
        co_await server.engine.set_if_absent(ctx, *w.repo, to, key,
                                             EngineOn::value(text_of(key, round)), {});
        w.acknowledged(key, round);
      } else {
        co_await server.put(ctx, *w.repo, to, key, text_of(key, round));
        w.acknowledged(key, round);
        const auto seen = co_await read(ctx, w.server(round), *w.repo, on, key);
        if (!seen || seen->data != text_of(key, round)) w.fault(key + " was not read back");
      }
    }
    if (round % 5 == 0) {
      // Whoever commits it: after a commit begun later, everything acknowledged before is in.
      co_await try_commit(ctx, w, w.server(round + id), to);
      const std::string key = format("{}/w{}/k0", on, id);
      const auto committed = co_await read(ctx, w.first, *w.repo, on + "@", key);
      const std::string wanted = round % 7 == 6 ? "nothing" : text_of(key, round);
      const std::string seen = committed ? committed->data : "nothing";
      if (seen != wanted) w.fault(format("{} committed as {}, not {}", key, seen, wanted));
    }
    co_await io::yield();
  }
}

/// Counts a writer off however it ends, so that those who wait for it end too.
Task<> run_counted(World& w, Task<> body) {
  try {
    co_await std::move(body);
  } catch (const Error& error) {
    w.fault("a writer failed: " + error.message());
  }
  --w.writers;
}

Task<> run_committer(World& w, int id, std::string on) {
  Context ctx;
  while (w.writers > 0) {
    co_await try_commit(ctx, w, w.server(id), branch(on));
    co_await io::sleep(std::chrono::milliseconds(2));  // paces, decides nothing
  }
}

Task<> run_clean_up(World& w) {
  Context ctx;
  while (w.writers > 0) {
    co_await w.first.engine.clean_up(ctx);
    co_await io::sleep(std::chrono::milliseconds(3));
  }
}

/// Values of a key only ever go forward in history, and a removed one stays away until written.
Task<> check_history(Context& ctx, World& w, const std::string& on) {
  const auto log =
      co_await w.first.engine.log(ctx, *w.repo, on, {.amount = 10'000, .first_parent = true});
  Tree before;
  Tree highest;
  for (auto commit = log.items.rbegin(); commit != log.items.rend(); ++commit) {
    const Tree tree = co_await tree_at(ctx, w.first, *w.repo, (*commit)->id.str());
    EXPECT_EQ((*commit)->parents.empty(), commit == log.items.rbegin());
    for (const auto& [key, number] : tree) {
      EXPECT_GE(number, highest[key]) << key << " went back in " << (*commit)->id.str();
      if (!before.contains(key) && highest[key] > 0) {
        EXPECT_GT(number, highest[key]) << key << " came back in " << (*commit)->id.str();
      }
      highest[key] = number;
    }
    before = tree;
  }
}

Task<> check_all(Context& ctx, World& w, std::vector<std::string> branches) {
  Tree wanted;
  for (const auto& [key, number] : w.last) {
    if (number > 0) wanted[key] = number;
  }
  Tree seen;
  for (const std::string& on : branches) {
    co_await w.second.engine.clean_up(ctx);
    seen.merge(co_await tree_at(ctx, w.second, *w.repo, on));
    co_await try_commit(ctx, w, w.second, branch(on));
    co_await check_history(ctx, w, on);
    const Branch record = co_await w.first.engine.get_branch(ctx, *w.repo, branch(on));
    EXPECT_TRUE(record.sealed_tokens.empty());
  }
  EXPECT_EQ(seen, wanted);
  for (const std::string& fault : w.faults)
    ADD_FAILURE() << fault;
}

Task<> run_all(Context& ctx, World& w, io::Loops& loops, std::vector<std::string> branches) {
  w.repo = co_await w.first.repository(ctx);
  for (const std::string& on : branches) {
    if (on != "main")
      co_await w.first.engine.create_branch(ctx, *w.repo, branch(on), "main", false, false);
  }
  w.writers = kWriters;
  io::TaskGroup group;
  for (int id = 0; id < kWriters; ++id) {
    const std::string on = branches[static_cast<std::size_t>(id) % branches.size()];
    group.spawn(loops.any(), "writer", run_counted(w, run_writer(w, id, on)));
  }
  for (int id = 0; id < 2; ++id) {
    for (const std::string& on : branches)
      group.spawn(loops.any(), "committer", run_committer(w, id, on));
  }
  group.spawn(loops.any(), "clean-up", run_clean_up(w));
  co_await group.join();
  co_await check_all(ctx, w, branches);
}

CO_TEST(EngineConcurrency, LosesNoAcknowledgedWriteOnABusyBranch) {
  io::Loops loops(3);
  World w;
  co_await run_all(ctx, w, loops, {"main"});
  EXPECT_GT(w.commits, 5);
}

CO_TEST(EngineConcurrency, LosesNoAcknowledgedWriteOnSeveralBranches) {
  io::Loops loops(3);
  World w;
  co_await run_all(ctx, w, loops, {"main", "dev"});
}

// --- mergers into a branch that is written to as well ---

Task<> merge_until_done(Context& ctx, World& w, EngineOn& server, std::string source) {
  for (;;) {
    bool dirty = false;
    try {
      const auto merged =
          co_await server.engine.merge(ctx, *w.repo, server.main, source, {.committer = "m"});
      if (!merged.commit_id) w.fault("conflict");
    } catch (const Error& error) {
      dirty = error.code() == ErrorCode::dirty_branch;
      if (!dirty) w.fault("merge: " + error.message());
    }
    if (!dirty) co_return;
    co_await try_commit(ctx, w, server, server.main);
  }
}

Task<> run_merger(World& w, int id) {
  Context ctx;
  EngineOn& server = w.server(id);
  const std::string on = format("merger{}", id);
  co_await server.engine.create_branch(ctx, *w.repo, branch(on), "main", false, false);
  for (int round = 1; round <= 8; ++round) {
    const std::string key = format("main/m{}/k{}", id, round % 3);
    co_await server.put(ctx, *w.repo, branch(on), key, text_of(key, round));
    co_await server.commit(ctx, *w.repo, branch(on));
    co_await merge_until_done(ctx, w, server, on);
    w.acknowledged(key, round);
    const auto seen = co_await read(ctx, w.first, *w.repo, "main@", key);
    if (!seen || seen->data != text_of(key, round)) w.fault(key + " is not merged");
  }
}

Task<> run_seldom_writer(World& w, int id) {
  Context ctx;
  for (int round = 1; round <= 30; ++round) {
    const std::string key = format("main/s{}/k{}", id, round % 5);
    co_await w.server(id).put(ctx, *w.repo, w.first.main, key, text_of(key, round));
    w.acknowledged(key, round);
    co_await io::sleep(std::chrono::milliseconds(round % 3));
  }
}

CO_TEST(EngineConcurrency, MergesLoseNeitherTheirChangesNorWritesToTheDestination) {
  io::Loops loops(3);
  World w;
  w.repo = co_await w.first.repository(ctx);
  w.writers = 4;
  io::TaskGroup group;
  for (int id = 0; id < 2; ++id) {
    group.spawn(loops.any(), "merger", run_counted(w, run_merger(w, id)));
    group.spawn(loops.any(), "writer", run_counted(w, run_seldom_writer(w, id)));
  }
  group.spawn(loops.any(), "clean-up", run_clean_up(w));
  co_await group.join();
  co_await check_all(ctx, w, {"main"});
}

// --- one winner ---

Task<> run_contender(World& w, int id, int rounds, std::vector<std::atomic<int>>& wins) {
  Context ctx;
  for (int round = 0; round < rounds; ++round) {
    const std::string key = format("key{}", round);
    try {
      co_await w.server(id).engine.set_if_absent(ctx, *w.repo, w.first.main, key,
                                                 EngineOn::value(text_of(key, id)), {});
      ++wins[static_cast<std::size_t>(round)];
      w.acknowledged(key, id);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::precondition_failed) w.fault(error.message());
    }
  }
}

CO_TEST(EngineConcurrency, SetIfAbsentHasExactlyOneWinnerWhileCommitsRun) {
  constexpr int kContended = 40;
  io::Loops loops(3);
  World w;
  w.repo = co_await w.first.repository(ctx);
  w.writers = 4;
  std::vector<std::atomic<int>> wins(kContended);
  io::TaskGroup group;
  for (int id = 1; id <= 4; ++id)
    group.spawn(loops.any(), "contender", run_counted(w, run_contender(w, id, kContended, wins)));
  for (int id = 0; id < 2; ++id)
    group.spawn(loops.any(), "committer", run_committer(w, id, "main"));
  co_await group.join();
  for (const auto& count : wins)
    EXPECT_EQ(count, 1);
  EXPECT_EQ(co_await tree_at(ctx, w.first, *w.repo, "main"), w.last);
  for (const std::string& fault : w.faults)
    ADD_FAILURE() << fault;
}

// --- background work ---

CO_TEST(EngineConcurrency, TheCleanUpLoopStopsWhenAsked) {
  io::Loops loops(2);
  TestStores stores;
  EngineOn server(stores.kv, stores.objects, {}, &loops);
  server.engine.start();
  const Repository repo = co_await server.repository(ctx);
  co_await server.put(ctx, repo, server.main, "a", "1");
  co_await server.commit(ctx, repo, server.main);
  co_await server.engine.stop();
}

}  // namespace
}  // namespace tarn::versioning
