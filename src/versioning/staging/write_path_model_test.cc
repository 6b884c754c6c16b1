// Random writers beside a server that commits all the time. Each key has one writer, so what its
// last acknowledged operation left must be what is visible in the end.
#include <array>
#include <map>
#include <random>

#include <boost/asio/this_coro.hpp>
#include <gtest/gtest.h>

#include "io/sync.h"
#include "io/task_group.h"
#include "kv/mem/mem_store.h"
#include "testing/co_test.h"
#include "versioning/refs/branches.h"
#include "versioning/staging/write_path.h"
#include "versioning/testing/hook_store.h"
#include "versioning/testing/records.h"

namespace tarn::versioning {
namespace {

using testing::commit_id;
using testing::HookStore;
using testing::make_branch;
using testing::make_value;

using Tree = std::map<std::string, Value>;
using Records = std::map<std::string, std::string>;

struct World {
  explicit World(std::uint32_t seed) : random(seed) {}

  Task<std::vector<std::optional<Value>>> read(Context& ctx, const CommitId& commit,
                                               const std::vector<std::string>& keys) {
    co_await pause(ctx);
    const Tree& tree = trees[commit.str()];
    std::vector<std::optional<Value>> values;
    for (const std::string& key : keys) {
      const auto found = tree.find(key);
      values.push_back(found == tree.end() ? std::nullopt : std::optional(found->second));
    }
    co_return values;
  }

  Task<> pause(Context&) {
    for (unsigned turns = random() % 4; turns > 0; --turns)
      co_await io::yield();
  }

  Task<> run_commits(Context& ctx) {
    for (int n = 1; writers_left > 0; ++n) {
      co_await pause(ctx);
      Branch branch = co_await branches.get(ctx, repository, main);
      branch.sealed_tokens.insert(branch.sealed_tokens.begin(), branch.staging_token);
      branch.staging_token = "t" + std::to_string(n);
      co_await branches.put(ctx, repository, branch);
      for (const std::string& token : branch.sealed_tokens) {
        const auto [then, is_new] = sealed.try_emplace(token);
        if (is_new) co_await read_records(ctx, token, then->second);
      }
      co_await pause(ctx);
      if (random() % 4 == 0) continue;  // a commit that failed leaves its token sealed
      Tree tree = trees[branch.commit_id.str()];
      for (auto token = branch.sealed_tokens.rbegin(); token != branch.sealed_tokens.rend();
           ++token) {
        co_await pause(ctx);
        co_await take(ctx, *token, tree);
      }
      co_await pause(ctx);
      branch.commit_id = commit_id("made" + std::to_string(n));
      trees[branch.commit_id.str()] = std::move(tree);
      const auto dropped = std::exchange(branch.sealed_tokens, {});
      if (hooked.guard() == kv::Guard::exact) {
        for (const std::string& token : dropped) {
          Records now;
          co_await read_records(ctx, token, now);
          EXPECT_EQ(now, sealed[token]) << "written after it was sealed: " << token;
        }
      }
      co_await branches.put(ctx, repository, branch);
      for (const std::string& token : dropped) {
        co_await pause(ctx);
        co_await empty(ctx, token);
      }
    }
  }

  Task<> read_records(Context& ctx, const std::string& token, Records& records) {
    const auto cursor = kv.scan(token, {});
    while (cursor->next() || co_await cursor->fill(ctx))
      records.emplace(cursor->key(), cursor->value());
  }

  Task<> take(Context& ctx, const std::string& token, Tree& tree) {
    auto stream = Staging(kv).open(token);
    while (stream->next() || co_await stream->fill(ctx)) {
      const RecordView& record = stream->record();
      if (record.tombstone) {
        tree.erase(std::string(record.key));
      } else {
        tree.insert_or_assign(std::string(record.key), record.to_value());
      }
    }
  }

  Task<> empty(Context& ctx, const std::string& token) {
    std::vector<kv::Op> ops;
    auto stream = Staging(kv).open(token);
    while (stream->next() || co_await stream->fill(ctx)) {
      ops.push_back(erase_op(token, std::string(stream->record().key)));
    }
    co_await kv.run(ctx, std::move(ops));
  }

  Task<> run_writer(Context& ctx, int writer) {
    for (int n = 0; n < 60; ++n) {
      const std::string key = "k" + std::to_string(writer) + std::to_string(random() % 3);
      const std::string text = key + "=" + std::to_string(n);
      std::string& expected = visible[key];
      switch (random() % 4) {
        case 0:
          while (!co_await put(ctx, key, text)) {
          }
          expected = text;
          break;
        case 1:
          EXPECT_EQ(co_await create(ctx, key, text), expected.empty()) << key;
          if (expected.empty()) expected = text;
          break;
        default: {
          const auto form = random() % 2 == 0 ? WritePath::DeleteForm::tombstone
                                              : WritePath::DeleteForm::no_tombstone;
          const std::vector<std::string> keys{key};
          co_await writes.remove(ctx, repository, main, keys, form);
          expected.clear();
        }
      }
    }
    --writers_left;
  }

  /// False: it may have happened, try again.
  Task<bool> put(Context& ctx, const std::string& key, const std::string& text) {
    try {
      co_await writes.set(ctx, repository, main, key, make_value(text));
      co_return true;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::unavailable);
      co_return false;
    }
  }

  Task<bool> create(Context& ctx, const std::string& key, const std::string& text) {
    try {
      co_await writes.set_if_absent(ctx, repository, main, key, make_value(text));
      co_return true;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::precondition_failed);
      co_return false;
    }
  }

  Task<std::string> read_visible(Context& ctx, std::string key) {
    const Branch branch = co_await branches.get(ctx, repository, main);
    const auto staged = co_await Staging(kv).get_first(ctx, staging_tokens(branch), key);
    if (staged) co_return staged->value ? staged->value->data : "";
    const Tree& tree = trees[branch.commit_id.str()];
    const auto found = tree.find(key);
    co_return found == tree.end() ? "" : found->second.data;
  }

  std::mt19937 random;
  kv::MemStore kv;
  HookStore hooked{kv};
  Branches branches{kv};
  Repository repository = testing::make_repository();
  BranchId main = BranchId::from_stored("main");
  std::map<std::string, Tree> trees;
  std::map<std::string, std::string> visible;
  std::map<std::string, Records> sealed;  // tokens, as they were then
  int writers_left = 0;
  WritePath writes{
      hooked,
      [this](Context& ctx, const Repository&, const CommitId& commit,
             const std::vector<std::string>& keys) { return read(ctx, commit, keys); },
      {.tries = 1'000, .race_tries = 1'000, .race_backoff = std::chrono::milliseconds(0)}};
};

CO_TEST(WritePathModel, AcknowledgedWritesSurviveCommitsAtAnyMoment) {
  const auto executor = co_await boost::asio::this_coro::executor;
  for (std::uint32_t seed = 0; seed < 60; ++seed) {
    World world(seed);
    world.hooked.set_guard(
        std::array{kv::Guard::none, kv::Guard::close, kv::Guard::exact}[seed % 3]);
    co_await world.branches.put(ctx, world.repository, make_branch("main", "t0"));
    world.hooked.set_hook([&](Context& c, const kv::Op&) { return world.pause(c); });
    io::TaskGroup group;
    world.writers_left = 3;
    group.spawn(executor, "commits", world.run_commits(ctx));
    for (int writer = 0; writer < 3; ++writer) {
      group.spawn(executor, "writer", world.run_writer(ctx, writer));
    }
    co_await group.join();
    EXPECT_EQ(world.writers_left, 0);
    for (const auto& [key, text] : world.visible) {
      EXPECT_EQ(co_await world.read_visible(ctx, key), text) << key << " seed " << seed;
    }
  }
}

}  // namespace
}  // namespace tarn::versioning
