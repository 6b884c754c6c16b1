#include "block/s3/region_book.h"

#include <algorithm>

namespace tarn::block::s3 {

bool is_region_name(std::string_view text) {
  return !text.empty() && text.size() <= 63 && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

std::optional<std::string> RegionBook::find(std::string_view bucket) const {
  const std::scoped_lock lock(mutex_);
  const auto found = regions_.find(bucket);
  if (found == regions_.end()) return std::nullopt;
  return found->second;
}

void RegionBook::note(std::string_view bucket, std::string_view region) {
  if (!is_region_name(region)) return;
  const std::scoped_lock lock(mutex_);
  if (regions_.size() >= kBucketsMax) regions_.clear();  // it is asked again
  regions_.insert_or_assign(std::string(bucket), std::string(region));
}

}  // namespace tarn::block::s3
