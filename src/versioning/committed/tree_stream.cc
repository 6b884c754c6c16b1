#include "versioning/committed/tree_stream.h"

namespace tarn::versioning {

// A move starts with one step away from where the stream stands, unless it is fresh, and goes on
// over heads. When the walk stalls, next() returns false with fresh_ set: the step has been taken,
// and fill() only completes it.
bool WalkStream::next() {
  if (!fresh_ && !walk_.stalled()) walk_.step();
  fresh_ = true;
  while (walk_.at_head())
    walk_.step();
  fresh_ = !walk_.at_record();
  return walk_.at_record();
}

Task<bool> WalkStream::fill(Context& ctx) {
  while (!next()) {
    if (walk_.at_end()) co_return false;
    co_await walk_.load(ctx);
  }
  co_return true;
}

void WalkStream::seek(std::string_view key) {
  walk_.seek(std::string(key));  // it may be our own record's
  fresh_ = true;
}

bool WalkStream::next_range() {
  if (!fresh_ && !walk_.stalled() && !walk_.at_end()) walk_.skip_range();
  fresh_ = !walk_.at_head();
  return walk_.at_head();
}

Task<bool> WalkStream::fill_range(Context& ctx) {
  while (!next_range()) {
    if (walk_.at_end()) co_return false;
    if (walk_.stalled()) co_await walk_.load(ctx);
    if (walk_.at_record()) fresh_ = false;  // after a seek into a range: on to the next head
  }
  co_return true;
}

}  // namespace tarn::versioning
