// Names for new objects (storage-format.md 5.2): data/<partition>/<name>, partitions sorting
// newest first, names oldest first within one.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>

#include "base/time.h"

namespace tarn::catalog {

/// Thread-safe. A partition is replaced after an hour or 50,000 names.
class PathNames {
 public:
  explicit PathNames(Clock& clock) : clock_(clock) {}

  /// A fresh relative address.
  std::string next();

 private:
  Clock& clock_;
  std::mutex mutex_;
  std::string partition_;
  Timestamp partition_made_;
  std::uint32_t names_ = 0;
};

}  // namespace tarn::catalog
