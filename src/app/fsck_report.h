// What `tarn fsck` prints, for people and for programs. Synchronous.
#pragma once

#include <string>
#include <vector>

#include "catalog/fsck.h"

namespace tarn::app {

/// One finding and what was done about it.
struct Reported {
  catalog::Problem problem;
  bool repaired = false;
};

/// Several lines, ending in one.
std::string describe(const Reported& reported);
/// The last lines of the text form.
std::string summarize(const catalog::FsckReport& report, std::uint64_t repaired);
/// One document; see docs/operating/checking.md.
std::string fsck_document(const catalog::FsckReport& report, const std::vector<Reported>& problems);

}  // namespace tarn::app
