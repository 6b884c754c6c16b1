#include "s3gw/branch_order.h"

#include <utility>

namespace tarn::s3gw {

void BranchOrder::add(std::string name, std::vector<std::string>& ready) {
  // '-' is the only character of branch names that sorts before '/'.
  while (!waiting_.empty() && !name.starts_with(waiting_.back() + '-')) {
    ready.push_back(std::move(waiting_.back()));
    waiting_.pop_back();
  }
  waiting_.push_back(std::move(name));
}

void BranchOrder::finish(std::vector<std::string>& ready) {
  while (!waiting_.empty()) {
    ready.push_back(std::move(waiting_.back()));
    waiting_.pop_back();
  }
}

std::vector<std::string> earlier_names(std::string_view start) {
  constexpr std::size_t kNamesMax = 256;  // nobody's names have more dashes; a marker might
  std::vector<std::string> names;
  for (std::size_t i = 1; i < start.size() && names.size() < kNamesMax; ++i) {
    if (static_cast<unsigned char>(start[i]) < '/') names.emplace_back(start.substr(0, i));
  }
  if (!start.empty()) names.emplace_back(start);
  return names;
}

}  // namespace tarn::s3gw
