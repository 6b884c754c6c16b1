// In which region each bucket is, as far as the service has told. Thread-safe, bounded.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace tarn::block::s3 {

class RegionBook {
 public:
  static constexpr std::size_t kBucketsMax = 10'000;

  std::optional<std::string> find(std::string_view bucket) const;
  /// Ignores what cannot be a region: it becomes part of a host name.
  void note(std::string_view bucket, std::string_view region);

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::string, std::less<>> regions_;
};

bool is_region_name(std::string_view text);

}  // namespace tarn::block::s3
