// Checks what a store holds: every ref leads to commits, trees, ranges and objects that exist and
// verify. Reads only.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/context.h"
#include "base/task.h"
#include "block/object_store.h"
#include "kv/store.h"
#include "versioning/engine.h"

namespace tarn::catalog {

struct FsckOptions {
  bool check_objects = true;    // head every distinct object address
  bool read_objects = false;    // also read and compare size and MD5
  std::string repository = {};  // "" = all
};

struct FsckReport {
  std::uint64_t repositories = 0, branches = 0, tags = 0, commits = 0;
  std::uint64_t ranges = 0, entries = 0, objects = 0, staged = 0;
  std::uint64_t problems = 0;

  bool clean() const { return problems == 0; }
};

/// One finding: what is wrong ("range id mismatch"), where ("repo/branch main/commit .../range
/// ..."), and what is affected.
struct Problem {
  std::string kind;
  std::string where;
  std::string detail;
};

/// Calls `on_problem` as they are found. Throws only when it cannot go on (KV unreachable).
Task<FsckReport> run_fsck(Context& ctx, kv::Store& kv, block::ObjectStore& objects,
                          versioning::Engine& engine, versioning::Committed& committed,
                          FsckOptions options, std::function<void(const Problem&)> on_problem);

}  // namespace tarn::catalog
