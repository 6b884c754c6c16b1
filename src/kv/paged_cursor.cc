#include "kv/paged_cursor.h"

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace tarn::kv {

namespace {

// Whoever stops or seeks away soon, as a listing of folders does, should not pay for a whole page:
// pages grow while the reading goes on in order.
constexpr std::uint32_t kRowsGrowth = 4;

}  // namespace

void Page::add(std::string_view key, std::string_view value) {
  bytes_.append(key);
  const std::size_t key_end = bytes_.size();
  bytes_.append(value);
  ends_.push_back({key_end, bytes_.size()});
}

void Page::reserve(std::size_t rows, std::size_t bytes) {
  ends_.reserve(rows);
  bytes_.reserve(bytes);
}

std::string_view Page::key(std::size_t row) const {
  const std::size_t begin = begin_of(row);
  return std::string_view(bytes_).substr(begin, ends_[row].key - begin);
}

std::string_view Page::value(std::size_t row) const {
  return std::string_view(bytes_).substr(ends_[row].key, ends_[row].value - ends_[row].key);
}

std::size_t Page::lower_bound(std::string_view wanted) const {
  std::size_t low = 0;
  std::size_t high = rows();
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (key(middle) < wanted) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

PagedCursor::PagedCursor(ScanOptions options)
    : prefix_(std::move(options.prefix)),
      rows_first_(std::min(options.likely_keys, options.page_keys)),
      rows_max_(options.page_keys) {
  start_at(options.from);
}

bool PagedCursor::next() {
  positioned_ = row_ < page_.rows();
  if (positioned_) ++row_;
  return positioned_;
}

Task<bool> PagedCursor::fill(Context& ctx) {
  if (next()) co_return true;  // the caller skipped next(): no row is lost by it
  if (end_) co_return false;
  Page page = co_await fetch(ctx, PageRequest{from_, prefix_, rows_wanted_});
  rows_wanted_ = std::min(rows_wanted_ * kRowsGrowth, rows_max_);
  TARN_ASSERT(page.rows() > 0 || page.last());
  page_ = std::move(page);
  row_ = 0;
  end_ = page_.last();
  lower_ = std::exchange(from_, {});
  if (!end_) from_ = std::string(page_.key(page_.rows() - 1)) + '\0';
  co_return next();
}

void PagedCursor::seek(std::string_view key) {
  positioned_ = false;
  const bool in_page =
      page_.rows() > 0 && key >= lower_ && (end_ || key <= page_.key(page_.rows() - 1));
  if (in_page) {
    row_ = page_.lower_bound(key);
  } else {
    start_at(key);
  }
}

void PagedCursor::start_at(std::string_view key) {
  from_ = key < prefix_ ? prefix_ : std::string(key);
  rows_wanted_ = rows_first_;
  page_ = {};
  row_ = 0;
  end_ = !from_.starts_with(prefix_);
}

std::string_view PagedCursor::key() const {
  TARN_ASSERT(positioned_);
  return page_.key(row_ - 1);
}

std::string_view PagedCursor::value() const {
  TARN_ASSERT(positioned_);
  return page_.value(row_ - 1);
}

std::string after_prefix(std::string prefix) {
  while (!prefix.empty() && prefix.back() == '\xff')
    prefix.pop_back();
  if (!prefix.empty())
    prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
  return prefix;
}

}  // namespace tarn::kv
