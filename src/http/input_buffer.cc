#include "http/input_buffer.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace tarn::http {

namespace {

constexpr std::size_t kCapacityMin = 8'192;    // a signed head and an object of 4 KiB in one read
constexpr std::size_t kKeptCapacity = 16'384;  // by a connection that waits

}  // namespace

void InputBuffer::move_to(std::size_t capacity) {
  const std::string_view kept = data();
  if (capacity == capacity_) {
    std::memmove(bytes_.get(), kept.data(), kept.size());
  } else {
    auto fresh = std::make_unique_for_overwrite<char[]>(capacity);
    if (!kept.empty()) std::memcpy(fresh.get(), kept.data(), kept.size());
    bytes_ = std::move(fresh);
    capacity_ = capacity;
  }
  end_ = kept.size();
  begin_ = 0;
}

std::span<char> InputBuffer::prepare() {
  if (empty()) {
    begin_ = end_ = 0;
    if (capacity_ > kKeptCapacity) move_to(kCapacityMin);
  }
  if (end_ == capacity_) {
    const bool half_used = begin_ >= capacity_ / 2;
    move_to(half_used && capacity_ > 0 ? capacity_ : std::max(kCapacityMin, capacity_ * 2));
  }
  return {bytes_.get() + end_, capacity_ - end_};
}

void InputBuffer::assign(std::string_view rest) {
  if (!rest.empty() && rest.data() >= bytes_.get() && rest.data() < bytes_.get() + capacity_) {
    begin_ = static_cast<std::size_t>(rest.data() - bytes_.get());
    end_ = begin_ + rest.size();
    return;
  }
  begin_ = end_ = 0;
  if (rest.size() > capacity_) move_to(std::max(kCapacityMin, rest.size()));
  if (!rest.empty()) std::memcpy(bytes_.get(), rest.data(), rest.size());
  end_ = rest.size();
}

}  // namespace tarn::http
