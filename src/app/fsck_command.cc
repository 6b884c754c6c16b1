#include "app/fsck_command.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "app/blocking_wait.h"
#include "app/fsck_report.h"
#include "app/server.h"
#include "base/error.h"

namespace tarn::app {

namespace {

/// The files as the object store has them, not as a cache remembers them.
versioning::CommittedConfig without_caches(versioning::CommittedConfig config) {
  config.disk_cache_dir.clear();
  return config;
}

bool is_wanted(const catalog::Problem& problem, const FsckArguments& arguments) {
  switch (problem.repair_kind) {
    case catalog::RepairKind::none: return false;
    case catalog::RepairKind::safe: return arguments.repair;
    case catalog::RepairKind::refs:
    case catalog::RepairKind::staged:
      return std::ranges::find(arguments.repairs, to_string(problem.repair_kind)) !=
             arguments.repairs.end();
  }
  std::unreachable();
}

struct Point {
  std::string repository, branch, commit;
};

Point parse_point(const std::string& text) {
  const auto slash = text.find('/');
  const auto equals = text.find('=');
  if (slash == std::string::npos || equals == std::string::npos || equals < slash) {
    throw Error(ErrorCode::invalid_argument, "--point wants REPOSITORY/BRANCH=COMMIT, not " + text);
  }
  return {text.substr(0, slash), text.substr(slash + 1, equals - slash - 1),
          text.substr(equals + 1)};
}

Task<> point_branches(kv::Store& kv, const std::vector<std::string>& points) {
  Context ctx;
  for (const std::string& text : points) {
    const Point point = parse_point(text);
    co_await catalog::point_branch(ctx, kv, point.repository, point.branch, point.commit);
  }
}

struct Outcome {
  catalog::FsckReport report;
  std::uint64_t damage_repaired = 0;
  std::uint64_t repaired = 0;
};

Task<Outcome> check(Core& core, versioning::Committed& committed, const FsckArguments& arguments,
                    std::vector<Reported>& found) {
  Context ctx;
  Outcome outcome;
  outcome.report = co_await catalog::run_fsck(
      ctx, {.kv = *core.kv, .objects = *core.objects, .committed = committed}, arguments.options,
      [&](const catalog::Problem& problem) { found.push_back({problem}); });
  for (Reported& reported : found) {
    if (!is_wanted(reported.problem, arguments)) continue;
    reported.repaired = co_await catalog::repair(ctx, *core.kv, reported.problem);
    if (!reported.repaired) continue;
    ++outcome.repaired;
    if (severity_of(reported.problem.finding) == catalog::Severity::damage) {
      ++outcome.damage_repaired;
    }
  }
  co_return outcome;
}

void print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
}

}  // namespace

int run_fsck_command(const Config& config, const FsckArguments& arguments) {
  Core core(config);
  versioning::Committed committed(*core.objects, core.file_pool, without_caches(config.committed));
  wait_for(core.loops.any(), point_branches(*core.kv, arguments.points));
  std::vector<Reported> found;
  const Outcome outcome = wait_for(core.loops.any(), check(core, committed, arguments, found));
  wait_for(core.loops.any(), committed.close());
  if (arguments.json) {
    print(fsck_document(outcome.report, found));
  } else {
    for (const Reported& reported : found)
      print(describe(reported));
    print(summarize(outcome.report, outcome.repaired));
  }
  return outcome.report.damage == outcome.damage_repaired ? kFsckClean : kFsckDamaged;
}

}  // namespace tarn::app
