// A catalog on memory stores, for tests.
#pragma once

#include <string>
#include <vector>

#include "block/mem/mem_object_store.h"
#include "catalog/catalog.h"
#include "io/blocking_pool.h"
#include "io/byte_source.h"
#include "kv/mem/mem_store.h"
#include "testing/fake_clock.h"

namespace tarn::catalog {

struct TestCatalog {
  testing::FakeClock clock;
  io::BlockingPool pool{{.name = "test", .threads = 2}};
  kv::MemStore kv;
  block::MemObjectStore objects;
  versioning::Committed committed{objects, pool, {.range_raggedness_entries = 4}};
  versioning::Engine engine{{.kv = kv, .committed = committed, .clock = clock, .loops = nullptr},
                            {.repository_cache_age = {}, .protection_cache_age = {}}};
  Catalog catalog{{.kv = kv, .objects = objects, .engine = engine, .clock = clock},
                  {.signing_secret = "secret"}};
  BranchId main = BranchId::from_stored("main");

  Task<versioning::Repository> repository(Context& ctx, std::string name = "repo") {
    return catalog.create_repository(
        ctx, {.name = name, .storage_namespace = "mem://" + name, .default_branch = "main"});
  }

  Task<Uploaded> upload(Context& ctx, const versioning::Repository& repo, std::string path,
                        std::string text, UploadParams params = {}) {
    io::StringSource body(std::move(text));
    co_return co_await catalog.upload(ctx, repo, main, path, body, std::move(params));
  }

  Task<std::string> read(Context& ctx, const versioning::Repository& repo, std::string ref,
                         std::string path) {
    const auto entry = co_await catalog.find(ctx, repo, ref, path);
    if (!entry) co_return "(none)";
    const auto source = co_await catalog.open(ctx, repo, *entry);
    co_return co_await io::read_all(ctx, *source, 1'000'000);
  }

  Task<std::vector<std::string>> list(Context& ctx, const versioning::Repository& repo,
                                      ListParams params) {
    const auto listing = co_await catalog.list(ctx, repo, "main", std::move(params));
    std::vector<std::string> paths;
    for (const auto& item : listing.items)
      paths.push_back(item.path);
    if (listing.has_more) paths.push_back("...");
    co_return paths;
  }

  /// Objects below data/ in the repository's namespace: what uploads left behind.
  Task<std::size_t> stored_objects(Context& ctx, const versioning::Repository& repo) {
    co_return (co_await objects.list(ctx, repo.storage_namespace, "data/", "", 1'000))
        .objects.size();
  }
};

}  // namespace tarn::catalog
