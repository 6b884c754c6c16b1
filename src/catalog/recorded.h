// What people and hooks did around commits, as the reference records it: pull requests
// (storage-format.md 2.9) and runs of actions (2.10). Read here, whoever wrote it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/time.h"

namespace tarn::catalog {

struct PullRequest {
  enum class Status : std::uint8_t { open, closed, merged };

  std::string id;
  Status status = Status::open;
  Timestamp created_at;
  std::string title, author, description;
  std::string source_branch, destination_branch;
  std::string merged_commit_id;  // "" unless merged
  std::optional<Timestamp> closed_at;
};

/// The actions of one event.
struct ActionRun {
  std::string run_id;
  std::string branch_id;
  std::string commit_id;  // "" until there is one
  std::string event_type;
  Timestamp started_at, ended_at;
  bool passed = false;
};

/// One hook of a run.
struct HookRun {
  std::string hook_run_id, hook_id, action_name;
  Timestamp started_at, ended_at;
  bool passed = false;

  /// It had no turn: an earlier one failed.
  bool skipped() const { return started_at == Timestamp{}; }
};

/// Which runs; both empty = all. Not both at once.
struct RunFilter {
  std::string branch, commit;
};

}  // namespace tarn::catalog
