// Every call to the stores fails once, before, halfway and after. What is left, opened anew, is the
// state before the operation or the one after it; fsck finds it whole, no temporary file stays, and
// trying again gets there.
#include <filesystem>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/format.h"
#include "block/fs/fs_object_store.h"
#include "block/testing/bodies.h"
#include "block/testing/faulty_store.h"
#include "catalog/catalog.h"
#include "catalog/fsck.h"
#include "io/blocking_pool.h"
#include "io/byte_source.h"
#include "kv/mem/mem_store.h"
#include "kv/testing/faulty_store.h"
#include "testing/co_test.h"
#include "testing/fake_clock.h"
#include "testing/temp_dir.h"

namespace tarn::catalog {
namespace {

using kv::testing::Fault;
using versioning::Repository;
using Rows = std::vector<std::string>;

constexpr std::size_t kLarge = 600'000;  // more than one piece of the store's
constexpr std::uint64_t kCallsMax = 300;

BranchId branch(std::string name) {
  return BranchId::from_stored(std::move(name));
}

/// One server's catalog on given stores. Nothing is cached by age.
struct CatalogOn {
  testing::FakeClock clock;
  versioning::Committed committed;
  versioning::Engine engine;
  Catalog catalog;

  CatalogOn(kv::Store& kv, block::ObjectStore& objects, io::BlockingPool& pool)
      : committed(objects, pool, {.range_raggedness_entries = 4, .memory_cache_bytes = 1}),
        engine({.kv = kv, .committed = committed, .clock = clock, .loops = nullptr},
               {.repository_cache_age = {},
                .protection_cache_age = {},
                .branch_update_backoff = std::chrono::milliseconds(1)}),
        catalog({.kv = kv, .objects = objects, .engine = engine, .clock = clock}, {}) {}
};

/// main: a0, a1, a2 and a large one, committed.
struct World {
  testing::TempDir dir;
  io::BlockingPool pool{{.name = "test", .threads = 2}};
  kv::MemStore kv;
  std::unique_ptr<block::FsObjectStore> objects;
  std::optional<kv::testing::FaultyStore> faulty_kv;
  std::optional<block::testing::FaultyStore> faulty_objects;
  std::unique_ptr<CatalogOn> server;
  BranchId main = branch("main");
  std::optional<Repository> repo;
  std::string upload_id;
  std::vector<block::Part> parts;

  Task<> build(Context& ctx) {
    objects =
        co_await block::FsObjectStore::open(ctx, {.root = dir.file("blocks"), .sync = false}, pool);
    faulty_kv.emplace(kv);
    faulty_objects.emplace(*objects);
    co_await reopen(ctx);
    repo = co_await server->catalog.create_repository(
        ctx, {.name = "repo", .storage_namespace = "local://repo", .default_branch = "main"});
    for (int i = 0; i < 3; ++i)
      co_await put(ctx, main, format("a{}", i), "text");
    co_await put(ctx, main, "large", block::testing::patterned(kLarge));
    co_await commit(ctx, main);
  }

  /// As after a restart of the process.
  Task<> reopen(Context& ctx) {
    co_await close(ctx);
    server = std::make_unique<CatalogOn>(*faulty_kv, *faulty_objects, pool);
  }

  Task<> close(Context&) {
    if (!server) co_return;
    co_await server->engine.stop();
    co_await server->committed.close();
    server.reset();
  }

  Task<> put(Context& ctx, const BranchId& to, std::string path, std::string text,
             UploadParams params = {}) {
    block::testing::PiecesSource body({std::move(text)});
    co_await server->catalog.upload(ctx, *repo, to, path, body, std::move(params));
  }

  Task<> commit(Context& ctx, const BranchId& on) {
    server->clock.advance(std::chrono::seconds(1));
    co_await server->engine.commit(ctx, *repo, on, {.committer = "c", .message = "m"});
  }

  Task<MultipartUpload> upload(Context& ctx) {
    return server->catalog.get_upload(ctx, *repo, main, "joined", upload_id);
  }

  /// What clients can see, by a reader of its own and without faults. Uploads by path: a client
  /// that never learnt an id begins another.
  Task<Rows> state(Context& ctx) {
    CatalogOn reader(kv, *objects, pool);
    Rows rows;
    const auto repositories = co_await reader.engine.list_repositories(ctx, {});
    for (const Repository& found : repositories.items) {
      rows.push_back("repository " + found.id.str());
      const auto branches = co_await reader.engine.list_branches(ctx, found, {}, true);
      for (const auto& at : branches.items) {
        for (const std::string& ref : {at.id.str(), at.id.str() + "@"})
          co_await list(ctx, reader, found, ref, rows);
      }
      std::set<std::string> paths;
      const auto uploads = co_await reader.catalog.list_uploads(ctx, found, "", "", "", 100);
      for (const auto& one : uploads.uploads)
        paths.insert("upload of " + one.path);
      rows.insert(rows.end(), paths.begin(), paths.end());
    }
    if (repo && !upload_id.empty()) co_await list_parts(ctx, reader, rows);
    co_await reader.engine.stop();
    co_await reader.committed.close();
    co_return rows;
  }

  Task<> check(Context& ctx) {
    versioning::Committed committed(*objects, pool, {});
    std::string problems;
    const auto report = co_await run_fsck(
        ctx, {.kv = kv, .objects = *objects, .committed = committed}, {.read_objects = true},
        [&](const Problem& problem) {
          if (severity_of(problem.finding) == Severity::damage)
            problems += format("{} {}; ", to_string(problem.finding), problem.where);
        });
    EXPECT_EQ(problems, "");
    EXPECT_TRUE(report.clean());
    co_await committed.close();
    std::size_t files = 0;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(dir.file("blocks/.tarn/tmp"))) {
      if (!entry.is_directory()) ++files;
    }
    EXPECT_EQ(files, 0u) << "temporary files";
  }

 private:
  static Task<> list(Context& ctx, CatalogOn& reader, const Repository& found, std::string ref,
                     Rows& rows) {
    const auto listing = co_await reader.catalog.list(ctx, found, ref, {.amount = 1'000});
    for (const ListItem& item : listing.items) {
      const auto source = co_await reader.catalog.open(ctx, found, item.entry);
      const auto bytes = co_await io::read_all(ctx, *source, 10 * kLarge);
      std::string row = format("{}: {} {} {} bytes", ref, item.path, item.entry.etag, bytes.size());
      for (const auto& [name, value] : item.entry.metadata)
        row += format(" {}={}", name, value);
      rows.push_back(std::move(row));
    }
  }

  Task<> list_parts(Context& ctx, CatalogOn& reader, Rows& rows) {
    try {
      const auto upload = co_await reader.catalog.get_upload(ctx, *repo, main, "joined", upload_id);
      for (const auto& part : co_await reader.catalog.list_parts(ctx, *repo, upload, 0, 100))
        rows.push_back(format("part {} {}", part.info.number, part.info.etag));
    } catch (const Error& error) {
      if (error.code() != ErrorCode::upload_not_found) throw;
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
  bool partial_is_fine = false;  // several independent writes: each old or new

  bool one_step = false;  // it writes one record at a time

  // For gtest's messages.
  friend void PrintTo(const Operation& operation,  // NOLINT(readability-identifier-naming)
                      std::ostream* out) {
    *out << operation.name;
  }
};

Task<> nothing(Context&, World&) {
  co_return;
}

Task<> upload_small(Context& ctx, World& w) {
  return w.put(ctx, w.main, "new", "small", {.metadata = {{"k", "v"}}});
}

Task<> upload_large(Context& ctx, World& w) {
  return w.put(ctx, w.main, "a0", block::testing::patterned(kLarge, 7));
}

Task<> upload_if_absent(Context& ctx, World& w) {
  return w.put(ctx, w.main, "new", "small", {.condition = only_if_absent()});
}

Task<> copy(Context& ctx, World& w) {
  co_await w.server->catalog.copy(ctx, {w.repo->id, "main", "large"}, *w.repo, w.main, "copied",
                                  {});
}

Task<> set_metadata(Context& ctx, World& w) {
  co_await w.server->catalog.set_metadata(ctx, *w.repo, w.main, "a0", {{"k", "v"}}, {});
}

Task<> stage(Context& ctx, World& w) {
  const auto entry = co_await w.server->catalog.find(ctx, *w.repo, "main", "a1");
  co_await w.server->catalog.stage(
      ctx, *w.repo, w.main, "staged",
      {.physical_address = w.server->catalog.display_address(*w.repo, *entry),
       .checksum = entry->etag,
       .size = entry->size},
      false);
}

Task<> remove_paths(Context& ctx, World& w, std::vector<std::string> paths) {
  const auto outcomes =
      co_await w.server->catalog.remove(ctx, *w.repo, w.main, std::move(paths), {});
  for (const auto& outcome : outcomes) {
    if (outcome) throw *outcome;
  }
}

Task<> remove_one(Context& ctx, World& w) {
  return remove_paths(ctx, w, {"a2"});
}

Task<> remove_many(Context& ctx, World& w) {
  return remove_paths(ctx, w, {"a0", "a2", "large", "none"});
}

Task<> create_upload(Context& ctx, World& w) {
  const auto upload = co_await w.server->catalog.create_upload(ctx, *w.repo, w.main, "joined", {});
  w.upload_id = upload.id;
}

Task<> put_part(Context& ctx, World& w, std::uint32_t number, std::string text) {
  block::testing::PiecesSource body({std::move(text)});
  const auto part = co_await w.server->catalog.upload_part(
      ctx, *w.repo, co_await w.upload(ctx), number, body, {.digests = {.crc32 = true}},
      [](const block::Digests::Values& values) { return values.crc32; });
  w.parts.push_back({number, part.info.etag});
}

Task<> upload_part(Context& ctx, World& w) {
  return put_part(ctx, w, 1, block::testing::patterned(kLarge, 3));
}

Task<> copy_part(Context& ctx, World& w) {
  co_await w.server->catalog.copy_part(ctx, *w.repo, co_await w.upload(ctx), 1,
                                       {w.repo->id, "main", "large"}, block::ByteRange{0, 99'999},
                                       {});
}

Task<> upload_one(Context& ctx, World& w) {
  co_await create_upload(ctx, w);
  co_await put_part(ctx, w, 1, "one");
}

Task<> upload_two(Context& ctx, World& w) {
  co_await upload_one(ctx, w);
  co_await put_part(ctx, w, 2, "two");
}

Task<> complete(Context& ctx, World& w) {
  co_await w.server->catalog.complete_upload(ctx, *w.repo, w.main, co_await w.upload(ctx), w.parts,
                                             {});
}

Task<> abort(Context& ctx, World& w) {
  co_await w.server->catalog.abort_upload(ctx, *w.repo, co_await w.upload(ctx));
}

Task<> create_repository(Context& ctx, World& w) {
  co_await w.server->catalog.create_repository(
      ctx, {.name = "another", .storage_namespace = "local://another", .default_branch = "trunk"});
}

Task<> commit(Context& ctx, World& w) {
  return w.commit(ctx, w.main);
}

Task<> merge(Context& ctx, World& w) {
  co_await w.server->engine.merge(ctx, *w.repo, w.main, "dev", {.committer = "c"});
}

Task<> build_dev(Context& ctx, World& w) {
  co_await w.server->engine.create_branch(ctx, *w.repo, branch("dev"), "main", false, false);
  co_await w.put(ctx, branch("dev"), "b", "text");
  co_await w.commit(ctx, branch("dev"));
}

std::vector<Operation> operations() {
  using enum ErrorCode;
  return {{"UploadSmall", nothing, upload_small, {}},
          {"UploadLarge", nothing, upload_large, {}, false, true},
          {"UploadIfAbsent", nothing, upload_if_absent, {precondition_failed}, false, true},
          {"Copy", nothing, copy, {}, false, true},
          {"SetMetadata", nothing, set_metadata, {}, false, true},
          {"Stage", nothing, stage, {}, false, true},
          {"RemoveOne", nothing, remove_one, {}, false, true},
          {"RemoveMany", upload_small, remove_many, {}, true},
          {"CreateUpload", nothing, create_upload, {}},
          {"UploadPart", create_upload, upload_part, {}, false, true},
          {"CopyPart", create_upload, copy_part, {}, false, true},
          {"CompleteOnePart", upload_one, complete, {upload_not_found}, true},
          {"CompleteTwoParts", upload_two, complete, {upload_not_found}, true},
          {"AbortUpload", upload_two, abort, {upload_not_found}, true},
          {"CreateRepository", nothing, create_repository, {already_exists}},
          {"Commit", upload_small, commit, {no_changes}},
          {"Merge", build_dev, merge, {no_changes}}};
}

class CatalogFaults : public ::testing::TestWithParam<Operation> {};

struct States {
  Rows before;
  Rows after;
};

Task<std::optional<ErrorCode>> ends_in(Context& ctx, World& w, const Operation& operation) {
  try {
    co_await operation.run(ctx, w);
  } catch (const Error& error) {
    co_return error.code();
  }
  co_return std::nullopt;
}

Task<States> states_without_faults(Context& ctx, const Operation& operation) {
  World w;
  co_await w.build(ctx);
  co_await operation.prepare(ctx, w);
  States states{.before = co_await w.state(ctx), .after = {}};
  co_await operation.run(ctx, w);
  states.after = co_await w.state(ctx);
  EXPECT_NE(states.before, states.after);
  co_await w.check(ctx);
  co_await w.close(ctx);
  co_await w.objects->close();
  co_return states;
}

Task<> check_after_fault(Context& ctx, World& w, const Operation& operation, const States& states,
                         std::optional<ErrorCode> ended) {
  co_await w.reopen(ctx);
  const Rows left = co_await w.state(ctx);
  co_await w.check(ctx);
  if (!ended) {
    EXPECT_EQ(left, states.after) << "succeeded, but not so";
  } else if (!operation.partial_is_fine) {
    EXPECT_TRUE(left == states.before || left == states.after) << ::testing::PrintToString(left);
  }
  const auto again = co_await ends_in(ctx, w, operation);
  if (again) {
    EXPECT_TRUE(operation.done_already.contains(*again) &&
                (left == states.after || operation.partial_is_fine))
        << to_string(*again);
  }
  EXPECT_EQ(co_await w.state(ctx), states.after) << "after another try";
  co_await w.check(ctx);
}

/// `fail` makes the n-th call fail; `struck` tells whether it came to that, and ends it.
Task<> fail_every_call(Context& ctx, const Operation& operation, const States& states,
                       std::string what, std::function<void(World&, std::uint64_t)> fail,
                       std::function<bool(World&, std::uint64_t)> struck) {
  for (std::uint64_t n = 1;; ++n) {
    SCOPED_TRACE(format("{} {}", what, n));
    World w;
    co_await w.build(ctx);
    co_await operation.prepare(ctx, w);
    co_await w.reopen(ctx);
    fail(w, n);
    const auto ended = co_await ends_in(ctx, w, operation);
    const bool was_struck = struck(w, n);
    co_await check_after_fault(ctx, w, operation, states, ended);
    co_await w.close(ctx);
    co_await w.objects->close();
    if (!was_struck) break;
    CO_ASSERT_TRUE(n < kCallsMax);
  }
}

CO_TEST_P(CatalogFaults, LeaveTheOldStateOrTheNewAndCanBeTriedAgain) {
  const Operation& operation = self.GetParam();
  const States states = co_await states_without_faults(ctx, operation);
  for (const Fault fault : {Fault::before, Fault::midway, Fault::after}) {
    // Writes of one step have no half-way; those tests would repeat the first.
    if (fault == Fault::midway && operation.one_step) continue;
    co_await fail_every_call(
        ctx, operation, states, format("store call, fault {}:", static_cast<int>(fault)),
        [fault](World& w, std::uint64_t n) { w.faulty_kv->fail_nth(n, fault); },
        [](World& w, std::uint64_t) {
          const bool struck = w.faulty_kv->failures() > 0;
          w.faulty_kv->heal();
          return struck;
        });
  }
  for (const auto fault : {block::testing::Fault::before, block::testing::Fault::after}) {
    co_await fail_every_call(
        ctx, operation, states, format("object call, fault {}:", static_cast<int>(fault)),
        [fault](World& w, std::uint64_t n) {
          w.faulty_objects->fail_nth(n, 1, ErrorCode::unavailable, fault);
        },
        [](World& w, std::uint64_t n) {
          const bool struck = w.faulty_objects->calls() >= n;
          w.faulty_objects->never_fail();
          return struck;
        });
  }
}

INSTANTIATE_TEST_SUITE_P(Operations, CatalogFaults, ::testing::ValuesIn(operations()),
                         [](const auto& operation) { return std::string(operation.param.name); });

}  // namespace
}  // namespace tarn::catalog
