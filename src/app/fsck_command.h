// `tarn fsck`: checks the store of a stopped server and, if told, repairs it.
#pragma once

#include <string>
#include <vector>

#include "app/config.h"
#include "catalog/fsck.h"

namespace tarn::app {

struct FsckArguments {
  catalog::FsckOptions options;
  bool json = false;
  bool repair = false;               // what is safe, and
  std::vector<std::string> repairs;  // what was named: "refs", "staged"
  std::vector<std::string> points;   // REPOSITORY/BRANCH=COMMIT
};

inline constexpr int kFsckClean = 0;
inline constexpr int kFsckDamaged = 1;  // and not repaired
inline constexpr int kFsckCouldNotRun = 2;

/// Blocking. Throws Error when the stores cannot be opened or read.
int run_fsck_command(const Config& config, const FsckArguments& arguments);

}  // namespace tarn::app
