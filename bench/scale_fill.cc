// Writes one large commit into the store of a stopped server, by the server's own tree writer and
// commit: what committing that many staged objects ends in, without sending each over HTTP.
//
//   tarn_scale_fill REPOSITORY BRANCH OBJECTS      (configuration from the environment)
#include <charconv>
#include <cstdio>
#include <cstring>

#include "app/blocking_wait.h"
#include "app/config.h"
#include "app/server.h"
#include "base/error.h"
#include "base/format.h"
#include "catalog/entry.h"

namespace tarn::app {
namespace {

constexpr std::uint64_t kPerDirectory = 10'000;

Task<bool> fill(Core& core, std::string repository_id, std::string branch, std::uint64_t objects) {
  Context ctx;
  const auto repository =
      co_await core.engine->get_repository(ctx, RepositoryId::require(repository_id));
  const auto writer = core.committed->writer(repository->storage_namespace);
  for (std::uint64_t i = 0; i < objects; ++i) {
    const auto value = catalog::encode_entry(
        {.address = format("data/g{:09}/o{:09}", i / kPerDirectory, i),
         .last_modified = {.seconds = 1'700'000'000, .nanos = 0},
         .size = 4'096,
         .etag = format("{:032x}", i * 0x9e3779b97f4a7c15ULL),
         .metadata = {},
         .content_type = "application/octet-stream"});
    co_await writer->write(
        ctx, format("tables/t{:06}/part-{:05}.parquet", i / kPerDirectory, i % kPerDirectory),
        value.identity, value.data);
  }
  const auto tree = co_await writer->close(ctx);
  const auto commit = co_await core.engine->commit(ctx, *repository, BranchId::require(branch),
                                                   {.committer = "scale",
                                                    .message = "fill",
                                                    .metadata = {},
                                                    .date = {},
                                                    .source_metarange = tree.id});
  std::printf("{\"ranges\": %zu, \"commit\": \"%s\"}\n", tree.ranges.size(),
              commit.id.str().c_str());
  co_return true;
}

int main_of(int argc, char** argv) {
  std::uint64_t objects = 0;
  if (argc != 4 ||
      std::from_chars(argv[3], argv[3] + std::strlen(argv[3]), objects).ec != std::errc()) {
    std::fprintf(stderr, "tarn_scale_fill REPOSITORY BRANCH OBJECTS\n");
    return 2;
  }
  try {
    ConfigSources sources;
    sources.environment = process_environment();
    sources.home = "/";
    const LoadedConfig loaded = load_config(sources);
    for (const auto& problem : loaded.problems)
      std::fprintf(stderr, "error: %s\n", problem.c_str());
    if (!loaded.problems.empty()) return 2;
    Core core(loaded.config);
    wait_for(core.loops.any(), fill(core, argv[1], argv[2], objects));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
}

}  // namespace
}  // namespace tarn::app

int main(int argc, char** argv) {
  return tarn::app::main_of(argc, argv);
}
