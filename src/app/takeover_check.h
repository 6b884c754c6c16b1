// `tarn takeover check`: what an installation of the reference holds, and what of it would be
// served, before anything is started on it. Only reads.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "app/config.h"
#include "base/context.h"
#include "base/task.h"
#include "kv/store.h"

namespace tarn::app {

struct RepositoryCounts {
  std::string name, storage_namespace;
  bool read_only = false;
  bool in_deletion = false;
  std::uint64_t branches = 0, tags = 0, commits = 0, staged = 0, sealed_tokens = 0;
  std::uint64_t pulls = 0, imports = 0, tasks = 0;
};

struct TakeoverReport {
  std::string schema_version;  // "" = none recorded
  std::string installation_id, set_up_at;
  std::string administrator;
  std::vector<std::string> access_keys;
  std::vector<RepositoryCounts> repositories;
  std::uint64_t uploads = 0, runs = 0, cleanups = 0;
  std::vector<std::string> notes;     // works, but differently
  std::vector<std::string> problems;  // prevents the takeover, or makes part of it unreadable

  bool good() const { return problems.empty(); }
};

/// Streams every metadata record once; object bytes are not looked at. Throws Error.
Task<TakeoverReport> check_takeover(Context& ctx, kv::Store& kv, const Config& config);

/// For people.
std::string to_text(const TakeoverReport& report);

/// The command: 0 = can be taken over, 1 = not. Throws Error when the database cannot be read.
int run_takeover_check(const Config& config);

}  // namespace tarn::app
