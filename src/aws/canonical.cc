#include "aws/canonical.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace tarn::aws {

namespace {

constexpr std::string_view kHexUpper = "0123456789ABCDEF";

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

struct Recode {
  bool keep_slash = false;
  bool plus_is_space = false;
};

// Decode once and encode once in a single pass. A broken escape is its own bytes.
void append_recoded(std::string& out, std::string_view raw, Recode how) {
  for (std::size_t i = 0; i < raw.size(); ++i) {
    char c = raw[i];
    if (c == '%' && i + 2 < raw.size()) {
      const int high = hex_digit(raw[i + 1]);
      const int low = hex_digit(raw[i + 2]);
      if (high >= 0 && low >= 0) {
        c = static_cast<char>(high << 4 | low);
        i += 2;
      }
    } else if (c == '+' && how.plus_is_space) {
      c = ' ';
    }
    if (is_unreserved(c) || (c == '/' && how.keep_slash)) {
      out.push_back(c);
    } else {
      out.push_back('%');
      out.push_back(kHexUpper[static_cast<unsigned char>(c) >> 4]);
      out.push_back(kHexUpper[static_cast<unsigned char>(c) & 15]);
    }
  }
}

void append_headers(std::string& out, const SignedRequest& request, std::string_view names) {
  while (true) {
    const std::size_t end = names.find(';');
    const std::string_view name = names.substr(0, end);
    out.append(name);
    out.push_back(':');
    bool first = true;
    for (const auto& [field, value] : request.headers) {
      if (!equal_ignoring_case(field, name)) continue;
      if (!std::exchange(first, false)) out.push_back(',');
      append_canonical_value(out, value);
    }
    out.push_back('\n');
    if (end == std::string_view::npos) return;
    names.remove_prefix(end + 1);
  }
}

}  // namespace

std::string canonical_uri(std::string_view raw_path) {
  if (raw_path.empty()) return "/";
  std::string out;
  out.reserve(raw_path.size() + 16);
  append_recoded(out, raw_path, {.keep_slash = true});
  return out;
}

std::string canonical_query(std::string_view raw_query, QueryPlus plus, std::string_view without) {
  const Recode how{.plus_is_space = plus == QueryPlus::space};
  std::vector<std::pair<std::string, std::string>> items;
  std::size_t size = 0;
  while (!raw_query.empty()) {
    const std::size_t end = raw_query.find('&');
    const std::string_view item = raw_query.substr(0, end);
    raw_query.remove_prefix(end == std::string_view::npos ? raw_query.size() : end + 1);
    if (item.empty()) continue;
    const std::size_t equals = item.find('=');
    auto& [name, value] = items.emplace_back();
    append_recoded(name, item.substr(0, equals), how);
    if (!without.empty() && name == without) {
      items.pop_back();
      continue;
    }
    if (equals != std::string_view::npos) append_recoded(value, item.substr(equals + 1), how);
    size += name.size() + value.size() + 2;
  }
  std::ranges::sort(items);
  std::string out;
  out.reserve(size);
  for (const auto& [name, value] : items) {
    if (!out.empty()) out.push_back('&');
    out.append(name).append(1, '=').append(value);
  }
  return out;
}

void append_canonical_value(std::string& out, std::string_view value) {
  bool pending_space = false;
  bool written = false;
  for (const char c : value) {
    if (c == ' ' || c == '\t') {
      pending_space = written;
      continue;
    }
    if (std::exchange(pending_space, false)) out.push_back(' ');
    out.push_back(c);
    written = true;
  }
}

std::string canonical_request(const SignedRequest& request, const CanonicalInput& input) {
  std::string out;
  out.reserve(512 + request.raw_path.size() + request.raw_query.size());
  out.append(request.method).append(1, '\n');
  if (request.raw_path.empty()) out.push_back('/');
  append_recoded(out, request.raw_path, {.keep_slash = true});
  out.push_back('\n');
  if (!request.raw_query.empty()) {
    out.append(canonical_query(request.raw_query, input.plus,
                               input.presigned ? std::string_view("X-Amz-Signature") : ""));
  }
  out.push_back('\n');
  append_headers(out, request, input.signed_headers);
  out.push_back('\n');
  out.append(input.signed_headers).append(1, '\n').append(input.payload_hash);
  return out;
}

}  // namespace tarn::aws
