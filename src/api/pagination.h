// The page every listing is wrapped in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/json_writer.h"

namespace tarn::api {

inline constexpr std::int64_t kPageMax = 1'000;

struct Pagination {
  bool has_more = false;
  std::string next_offset;  // "" at the end
  std::int64_t results = 0;
  std::int64_t max_per_page = kPageMax;
};

void write(JsonWriter& out, const Pagination& pagination);

template <class T>
struct PageOf {
  Pagination pagination;
  std::vector<T> results;
};

template <class T>
void write(JsonWriter& out, const PageOf<T>& page) {
  out.begin_object();
  out.key("pagination");
  write(out, page.pagination);
  out.key("results");
  out.begin_array();
  for (const T& item : page.results)
    write(out, item);
  out.end_array();
  out.end_object();
}

/// A page whose items are written as they come, without models of them in between: begin with one
/// of these, write() each item, and finish() when the head is known.
class PageWriter {
 public:
  explicit PageWriter(std::size_t items_expected);

  template <class T>
  void add(const T& item) {
    write(items_, item);
    ++count_;
  }

  std::size_t count() const { return count_; }

  /// The document, as to_json() of a PageOf gives it. `last` is the id of the last item.
  std::string finish(bool has_more, std::string_view last) const;

 private:
  std::string text_;
  JsonWriter items_{text_};
  std::size_t count_ = 0;
};

}  // namespace tarn::api
