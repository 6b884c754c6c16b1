#include "api/pagination.h"

#include <algorithm>

namespace tarn::api {

void write(JsonWriter& out, const Pagination& pagination) {
  out.begin_object();
  out.member("has_more", pagination.has_more);
  out.member("max_per_page", pagination.max_per_page);
  out.member("next_offset", pagination.next_offset);
  out.member("results", pagination.results);
  out.end_object();
}

PageWriter::PageWriter(std::size_t items_expected) {
  constexpr std::size_t kItemBytes = 320;
  constexpr std::size_t kReservedMax = 65'536;
  text_.reserve(std::min(items_expected * kItemBytes, kReservedMax));
}

std::string PageWriter::finish(bool has_more, std::string_view last) const {
  const Pagination head{.has_more = has_more,
                        .next_offset = has_more ? std::string(last) : std::string(),
                        .results = static_cast<std::int64_t>(count_)};
  std::string out;
  out.reserve(text_.size() + last.size() + 128);
  JsonWriter writer(out);
  writer.begin_object();
  writer.key("pagination");
  write(writer, head);
  writer.key("results");
  writer.begin_array();
  out += text_;
  writer.end_array();
  writer.end_object();
  out += '\n';
  return out;
}

}  // namespace tarn::api
