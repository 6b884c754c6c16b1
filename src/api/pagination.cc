#include "api/pagination.h"

namespace tarn::api {

void write(JsonWriter& out, const Pagination& pagination) {
  out.begin_object();
  out.member("has_more", pagination.has_more);
  out.member("max_per_page", pagination.max_per_page);
  out.member("next_offset", pagination.next_offset);
  out.member("results", pagination.results);
  out.end_object();
}

}  // namespace tarn::api
