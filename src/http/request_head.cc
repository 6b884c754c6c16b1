#include "http/request_head.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

namespace tarn::http {

namespace {

namespace beast = boost::beast;
using beast::http::field;

constexpr HeadError kMalformed{400, "malformed request"};

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string_view view(beast::string_view text) {
  return {text.data(), text.size()};
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
    text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t'))
    text.remove_suffix(1);
  return text;
}

/// Beast's parser with views of the bytes instead of Beast's field container: nothing is allocated
/// per field. Bodies are not its business.
class HeadParser final : public beast::http::basic_parser<true> {
 public:
  explicit HeadParser(RequestHead& head) : head_(head) { skip(true); }

  std::optional<HeadError> error;
  bool seen_transfer_encoding = false;
  bool seen_content_length = false;
  std::size_t hosts = 0;
  HeadField* host = nullptr;

 private:
  void on_request_impl(beast::http::verb, beast::string_view method, beast::string_view target,
                       int version, beast::error_code&) override {
    head_.method = view(method);
    head_.target = view(target);
    head_.http10 = version == 10;
  }

  void on_field_impl(field id, beast::string_view name, beast::string_view value,
                     beast::error_code& ec) override {
    head_.fields.push_back({.name = view(name), .value = view(value)});
    if (id == field::host) ++hosts;
    if (id == field::content_length) take_length(view(value));
    if (id == field::transfer_encoding) take_coding(view(value));
    if (id == field::expect) {
      head_.expects_continue = equal_without_case(trim(view(value)), "100-continue");
    }
    if (error) ec = beast::http::error::bad_value;
  }

  void take_length(std::string_view text) {
    if (seen_content_length) error = HeadError{400, "more than one Content-Length"};
    seen_content_length = true;
    const char* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, head_.content_length);
    if (text.empty() || parsed.ec != std::errc{} || parsed.ptr != end) {
      error = HeadError{400, "bad Content-Length"};
    }
    head_.framing = RequestHead::Framing::length;
  }

  void take_coding(std::string_view text) {
    if (seen_transfer_encoding) error = HeadError{400, "more than one Transfer-Encoding"};
    seen_transfer_encoding = true;
    if (!equal_without_case(text, "chunked")) {
      error = HeadError{501, "transfer coding not supported"};
    }
    head_.framing = RequestHead::Framing::chunked;
  }

  void on_response_impl(int, beast::string_view, int, beast::error_code&) override {}

  void on_header_impl(beast::error_code&) override {}

  void on_body_init_impl(const boost::optional<std::uint64_t>&, beast::error_code&) override {}

  std::size_t on_body_impl(beast::string_view, beast::error_code&) override { return 0; }

  void on_chunk_header_impl(std::uint64_t, beast::string_view, beast::error_code&) override {}

  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view, beast::error_code&) override {
    return 0;
  }

  void on_finish_impl(beast::error_code&) override {}

  RequestHead& head_;
};

/// "HTTP/3.7" and the like are a version we lack; anything else there is garbage.
HeadError version_error(std::string_view bytes) {
  const std::string_view line = bytes.substr(0, bytes.find("\r\n"));
  const std::string_view version = line.substr(line.rfind(' ') + 1);
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (std::ranges::count(line, ' ') == 2 && version.size() == 8 && version.starts_with("HTTP/") &&
      digit(version[5]) && version[6] == '.' && digit(version[7])) {
    return {505, "HTTP version not supported"};
  }
  return kMalformed;
}

std::expected<void, HeadError> check_framing(const HeadParser& parser, const RequestHead& head) {
  if (parser.seen_content_length && parser.seen_transfer_encoding) {
    return std::unexpected(HeadError{400, "both Content-Length and Transfer-Encoding"});
  }
  if (parser.seen_transfer_encoding && head.http10) {
    return std::unexpected(HeadError{400, "Transfer-Encoding in HTTP/1.0"});
  }
  if (parser.hosts > 1) return std::unexpected(HeadError{400, "more than one Host"});
  if (parser.hosts == 0 && !head.http10) return std::unexpected(HeadError{400, "missing Host"});
  return {};
}

/// Reduces "http://host/path" to "/path", and lets its authority replace Host (RFC 9112 3.2.2).
std::expected<void, HeadError> reduce_target(RequestHead& head) {
  if (head.target.starts_with('/')) return {};
  if (head.target == "*" && head.method == "OPTIONS") return {};
  const std::size_t scheme = head.target.find("://");
  const std::string_view name = head.target.substr(0, std::min(scheme, head.target.size()));
  if (!equal_without_case(name, "http") && !equal_without_case(name, "https")) {
    return std::unexpected(HeadError{400, "unsupported request target"});
  }
  const std::string_view rest = head.target.substr(scheme + 3);
  const std::size_t end = std::min(rest.find_first_of("/?#"), rest.size());
  const std::string_view authority = rest.substr(0, end);
  if (authority.empty() || authority.find('@') != std::string_view::npos) {
    return std::unexpected(HeadError{400, "unsupported request target"});
  }
  for (HeadField& one : head.fields) {
    if (equal_without_case(one.name, "host")) one.value = authority;
  }
  head.target = rest.substr(end);
  if (!head.target.starts_with('/')) {
    head.rewritten = "/" + std::string(head.target);
    head.target = head.rewritten;
  }
  return {};
}

}  // namespace

bool equal_without_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [](char x, char y) { return lower(x) == lower(y); });
}

bool is_token(std::string_view text) {
  static constexpr auto kIsTokenChar = [] {
    std::array<bool, 256> table{};
    for (const char c : std::string_view("!#$%&'*+-.^_`|~0123456789"))
      table[static_cast<unsigned char>(c)] = true;
    for (unsigned c = 'a'; c <= 'z'; ++c)
      table[c] = table[c - 'a' + 'A'] = true;
    return table;
  }();
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return kIsTokenChar[static_cast<unsigned char>(c)];
  });
}

std::string_view RequestHead::query() const {
  const std::size_t mark = target.find('?');
  return mark == std::string_view::npos ? std::string_view{} : target.substr(mark + 1);
}

std::optional<std::string_view> RequestHead::find(std::string_view name) const {
  for (const HeadField& one : fields) {
    if (equal_without_case(one.name, name)) return one.value;
  }
  return std::nullopt;
}

std::expected<std::optional<std::size_t>, HeadError> HeadScanner::scan(std::string_view data,
                                                                       std::size_t bytes_max) {
  const std::string_view known = data.substr(0, bytes_max);
  while (at_ < known.size()) {
    const void* const found = std::memchr(known.data() + at_, '\n', known.size() - at_);
    if (found == nullptr) {
      at_ = known.size();
      break;
    }
    const auto lf = static_cast<std::size_t>(static_cast<const char*>(found) - known.data());
    if (lf == line_ || known[lf - 1] != '\r') {
      return std::unexpected(HeadError{400, "line does not end in CRLF"});
    }
    if (line_ > 0 && (known[line_] == ' ' || known[line_] == '\t')) {
      return std::unexpected(HeadError{400, "folded header line"});
    }
    if (lf == line_ + 1) return lf + 1;
    at_ = line_ = lf + 1;
  }
  if (data.size() >= bytes_max) return std::unexpected(HeadError{431, "request head too large"});
  return std::nullopt;
}

std::size_t leading_empty_lines(std::string_view data) {
  std::size_t count = 0;
  while (data.substr(count, 2) == "\r\n")
    count += 2;
  return count;
}

std::expected<void, HeadError> parse_head(std::string_view bytes, RequestHead& head) {
  head.expects_continue = false;
  head.framing = RequestHead::Framing::none;
  head.content_length = 0;
  head.fields.clear();
  head.rewritten.clear();

  HeadParser parser(head);
  parser.header_limit(static_cast<std::uint32_t>(bytes.size() + 1));
  beast::error_code ec;
  const std::size_t used = parser.put(boost::asio::const_buffer(bytes.data(), bytes.size()), ec);
  if (parser.error) return std::unexpected(*parser.error);
  if (ec == beast::http::error::bad_version) return std::unexpected(version_error(bytes));
  if (ec || used != bytes.size() || !parser.is_header_done()) return std::unexpected(kMalformed);

  head.keep_alive = parser.keep_alive();
  if (head.http10) head.expects_continue = false;
  if (auto checked = check_framing(parser, head); !checked) return checked;
  return reduce_target(head);
}

}  // namespace tarn::http
