// An engine with small ranges for tests: on memory stores of its own, or on given ones.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "block/mem/mem_object_store.h"
#include "io/blocking_pool.h"
#include "kv/mem/mem_store.h"
#include "testing/fake_clock.h"
#include "versioning/engine.h"

namespace tarn::versioning {

/// One server's engine and caches on stores that may be shared with others. Nothing is cached by
/// age, and lost races are tried again soon and often: tests race far harder than life.
struct EngineOn {
  testing::FakeClock clock;
  io::BlockingPool pool{{.name = "test", .threads = 2}};
  Committed committed;
  Engine engine;
  BranchId main = BranchId::from_stored("main");

  EngineOn(kv::Store& kv, block::ObjectStore& objects,
           CommittedConfig config = {.range_raggedness_entries = 4}, io::Loops* loops = nullptr)
      : committed(objects, pool, std::move(config)),
        engine({.kv = kv, .committed = committed, .clock = clock, .loops = loops},
               {.repository_cache_age = {},
                .protection_cache_age = {},
                .branch_update_tries = 20,
                .branch_update_backoff = std::chrono::milliseconds(1),
                .staging_write_tries = 100}) {}

  Task<Repository> repository(Context& ctx, std::string id = "repo") {
    return engine.create_repository(ctx, {.id = RepositoryId::from_stored(std::move(id)),
                                          .storage_namespace = "mem://repo",
                                          .default_branch = main});
  }

  Task<> put(Context& ctx, const Repository& repo, const BranchId& branch, std::string key,
             std::string text) {
    co_await engine.set(ctx, repo, branch, key, value(text), {});
  }

  Task<Commit> commit(Context& ctx, const Repository& repo, const BranchId& branch,
                      std::string message = "m") {
    clock.advance(std::chrono::seconds(1));
    co_return co_await engine.commit(ctx, repo, branch, {.committer = "c", .message = message});
  }

  /// "key=data" of everything visible at the ref.
  Task<std::vector<std::string>> list(Context& ctx, const Repository& repo, std::string ref) {
    const auto resolved = co_await engine.resolve(ctx, repo, ref);
    const auto records = engine.list(repo, resolved, "");
    std::vector<std::string> rows;
    while (records->next() || co_await records->fill(ctx)) {
      rows.push_back(std::string(records->record().key) + "=" +
                     std::string(records->record().data));
    }
    co_return rows;
  }

  /// "+key", "-key", "~key", "!key".
  static Task<std::vector<std::string>> rows(Context& ctx, std::unique_ptr<DiffStream> stream) {
    std::vector<std::string> out;
    while (stream->next() || co_await stream->fill(ctx)) {
      constexpr std::string_view kMarks = "+-~!";
      out.push_back(kMarks[static_cast<std::size_t>(stream->difference().type)] +
                    stream->difference().key);
    }
    co_return out;
  }

  static Value value(std::string_view text) {
    return {.identity = "id of " + std::string(text), .data = std::string(text)};
  }
};

struct TestStores {
  kv::MemStore kv;
  block::MemObjectStore objects;
};

struct TestEngine : TestStores, EngineOn {
  TestEngine() : EngineOn(kv, objects) {}
};

}  // namespace tarn::versioning
