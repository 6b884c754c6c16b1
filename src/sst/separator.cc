#include "sst/separator.h"

namespace tarn::sst {

namespace {

unsigned char byte_at(std::string_view text, std::size_t i) {
  return static_cast<unsigned char>(text[i]);
}

// `last` cut after the first byte from `from` that can be incremented, which is; or `last` itself.
void increment_from(std::string_view last, std::size_t from, std::string& out) {
  while (from < last.size() && byte_at(last, from) == 0xff)
    ++from;
  if (from >= last.size()) {
    out.assign(last).append(kSetTrailer);
    return;
  }
  out.assign(last.substr(0, from + 1)).append(kSeparatorTrailer);
  ++out[from];
}

}  // namespace

void make_separator(std::string_view last, std::string_view next, std::string& out) {
  const std::size_t i = common_prefix(last, next);
  if (i >= last.size() || i >= next.size()) {
    out.assign(last).append(kSetTrailer);
  } else if (i + 1 < next.size() || byte_at(last, i) + 1 < byte_at(next, i)) {
    increment_from(last, i, out);
  } else {
    increment_from(last, i + 1, out);
  }
}

void make_successor(std::string_view last, std::string& out) {
  increment_from(last, 0, out);
}

}  // namespace tarn::sst
