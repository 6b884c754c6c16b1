// A Cursor over a backend that answers pages: positions, seeks and page borders are decided here
// once, a backend only fetches.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "base/task.h"
#include "kv/store.h"

namespace tarn::kv {

/// Rows of one partition in key order, packed into one buffer.
class Page {
 public:
  static constexpr std::size_t kBytesMax = 1'024 * 1'024;  // full() beyond it, whatever the rows

  void add(std::string_view key, std::string_view value);
  /// Room for as many rows of `bytes` keys and values together: what is known beforehand.
  void reserve(std::size_t rows, std::size_t bytes);

  /// No more rows are coming after this page.
  void mark_last() { last_ = true; }

  std::size_t rows() const { return ends_.size(); }

  bool full(std::uint32_t rows_max) const {
    return rows() >= rows_max || bytes_.size() >= kBytesMax;
  }

  bool last() const { return last_; }

  std::string_view key(std::size_t row) const;
  std::string_view value(std::size_t row) const;
  /// Index of the first row with a key >= `key`; rows() if there is none.
  std::size_t lower_bound(std::string_view key) const;

 private:
  struct Ends {
    std::size_t key;
    std::size_t value;
  };

  std::size_t begin_of(std::size_t row) const { return row == 0 ? 0 : ends_[row - 1].value; }

  std::string bytes_;
  std::vector<Ends> ends_;
  bool last_ = false;
};

struct PageRequest {
  std::string from;    // first key, inclusive; never below `prefix`
  std::string prefix;  // rows without it end the page and are the end
  std::uint32_t rows_max;
};

class PagedCursor : public Cursor {
 public:
  explicit PagedCursor(ScanOptions options);

  bool next() final;
  Task<bool> fill(Context& ctx) final;
  void seek(std::string_view key) final;
  std::string_view key() const final;
  std::string_view value() const final;

 protected:
  /// Up to rows_max rows, marked last() when none follow. A page without rows must be last().
  /// The request is the callee's own.
  virtual Task<Page> fetch(Context& ctx, PageRequest request) = 0;

 private:
  void start_at(std::string_view key);

  std::string prefix_;
  std::uint32_t rows_first_;  // in the page after a start or a seek
  std::uint32_t rows_max_;
  std::uint32_t rows_wanted_ = 1;  // in the next page
  std::string from_;               // where the page after page_ begins
  std::string lower_;              // page_ holds every key from here to its last row
  Page page_;
  std::size_t row_ = 0;      // the row next() will move to
  bool positioned_ = false;  // row_ - 1 is the current row
  bool end_ = false;         // nothing follows page_
};

/// The smallest key greater than every key with `prefix`; empty = there is none.
std::string after_prefix(std::string prefix);

}  // namespace tarn::kv
