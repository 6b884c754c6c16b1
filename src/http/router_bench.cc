// Finding the route of a request among as many as the API has.
#include <benchmark/benchmark.h>

#include "base/error.h"
#include "http/router.h"

namespace tarn::http {
namespace {

void add_routes(Router& router) {
  for (const char* collection : {"repositories", "auth/users", "auth/groups", "auth/policies"}) {
    const std::string base = std::string("/api/v1/") + collection;
    router.add("GET", base);
    router.add("POST", base);
    for (const char* method : {"GET", "DELETE", "PUT"})
      router.add(method, base + "/{id}");
  }
  const std::string repository = "/api/v1/repositories/{id}";
  for (const char* kind : {"branches", "tags", "actions/runs", "metadata", "settings", "hooks",
                           "gc/rules", "branch_protection", "pulls", "dump", "restore"}) {
    router.add("GET", repository + "/" + kind);
    router.add("POST", repository + "/" + kind);
    router.add("GET", repository + "/" + kind + "/{name}");
    router.add("DELETE", repository + "/" + kind + "/{name}");
    router.add("GET", repository + "/" + kind + "/{name}/diff");
  }
  for (const char* leaf : {"objects", "objects/stat", "objects/ls", "commits", "diff/{other}"})
    router.add("GET", repository + "/refs/{ref}/" + leaf);
}

void find_a_route(benchmark::State& state) {
  Router router;
  add_routes(router);
  for (auto unused : state) {
    const auto match =
        router.match("GET", "/api/v1/repositories/my-repository/refs/main/objects/stat");
    TARN_ASSERT(match);
    benchmark::DoNotOptimize(match->param("ref").data());
  }
}

BENCHMARK(find_a_route);

void find_an_escaped_parameter(benchmark::State& state) {
  Router router;
  add_routes(router);
  for (auto unused : state) {
    const auto match =
        router.match("GET", "/api/v1/repositories/my-repository/refs/feature%2Fone~1/diff/main");
    TARN_ASSERT(match);
    benchmark::DoNotOptimize(match->param("other").data());
  }
}

BENCHMARK(find_an_escaped_parameter);

}  // namespace
}  // namespace tarn::http
