// The page every listing is wrapped in.
#pragma once

#include <cstdint>
#include <string>
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

}  // namespace tarn::api
