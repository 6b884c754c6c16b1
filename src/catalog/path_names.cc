#include "catalog/path_names.h"

#include "base/xid.h"

namespace tarn::catalog {

namespace {

constexpr std::int64_t kPartitionSecondsMax = 3'600;
constexpr std::uint32_t kPartitionNamesMax = 50'000;

}  // namespace

std::string PathNames::next() {
  const Timestamp now = clock_.now();
  const std::lock_guard lock(mutex_);
  if (partition_.empty() || names_ >= kPartitionNamesMax ||
      now.seconds - partition_made_.seconds > kPartitionSecondsMax) {
    partition_ = make_xid(now, XidOrder::descending_year_4000);
    partition_made_ = now;
    names_ = 0;
  }
  ++names_;
  return "data/" + partition_ + "/" + make_xid(now);
}

}  // namespace tarn::catalog
