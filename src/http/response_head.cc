#include "http/response_head.h"

#include <charconv>
#include <optional>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

namespace tarn::http {

namespace {

namespace beast = boost::beast;
using beast::http::field;

std::string_view view(beast::string_view text) {
  return {text.data(), text.size()};
}

class HeadParser final : public beast::http::basic_parser<false> {
 public:
  explicit HeadParser(ResponseHead& head) : head_(head) { skip(true); }

  bool seen_coding = false;
  bool http10 = false;
  std::string_view problem;

 private:
  void on_response_impl(int status, beast::string_view, int version, beast::error_code&) override {
    head_.status = static_cast<std::uint16_t>(status);
    http10 = version == 10;
  }

  void on_field_impl(field id, beast::string_view name, beast::string_view value,
                     beast::error_code& ec) override {
    head_.fields.push_back({.name = view(name), .value = view(value)});
    if (id == field::content_length) take_length(view(value));
    if (id == field::transfer_encoding) take_coding(view(value));
    if (!problem.empty()) ec = beast::http::error::bad_value;
  }

  void take_length(std::string_view text) {
    const char* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, head_.content_length);
    if (head_.has_length) problem = "more than one Content-Length";
    if (text.empty() || parsed.ec != std::errc{} || parsed.ptr != end)
      problem = "bad Content-Length";
    head_.has_length = true;
  }

  void take_coding(std::string_view text) {
    if (seen_coding) problem = "more than one Transfer-Encoding";
    if (!equal_without_case(text, "chunked")) problem = "transfer coding not supported";
    seen_coding = true;
  }

  void on_request_impl(beast::http::verb, beast::string_view, beast::string_view, int,
                       beast::error_code&) override {}

  void on_header_impl(beast::error_code&) override {}

  void on_body_init_impl(const boost::optional<std::uint64_t>&, beast::error_code&) override {}

  std::size_t on_body_impl(beast::string_view, beast::error_code&) override { return 0; }

  void on_chunk_header_impl(std::uint64_t, beast::string_view, beast::error_code&) override {}

  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view, beast::error_code&) override {
    return 0;
  }

  void on_finish_impl(beast::error_code&) override {}

  ResponseHead& head_;
};

bool has_body(std::uint16_t status, bool to_head) {
  return !to_head && status >= 200 && status != 204 && status != 304;
}

}  // namespace

std::expected<ResponseHead, ParseError> parse_response_head(std::string_view bytes, bool to_head) {
  ResponseHead head;
  HeadParser parser(head);
  parser.header_limit(static_cast<std::uint32_t>(bytes.size() + 1));
  beast::error_code ec;
  const std::size_t used = parser.put(boost::asio::const_buffer(bytes.data(), bytes.size()), ec);
  if (!parser.problem.empty()) return std::unexpected(ParseError{std::string(parser.problem)});
  if (ec || used != bytes.size() || !parser.is_header_done() || head.status < 100) {
    return std::unexpected(ParseError{"malformed response"});
  }
  if (parser.seen_coding && (head.has_length || parser.http10)) {
    return std::unexpected(ParseError{"ambiguous length of the response"});
  }
  // Beast knows the Connection field; with skip() it takes the end of the head for the end of the
  // message, so that a body without length does not count against keeping the connection.
  head.keep_alive = parser.keep_alive();
  if (!has_body(head.status, to_head)) return head;
  if (parser.seen_coding) {
    head.framing = ResponseHead::Framing::chunked;
  } else if (head.has_length) {
    head.framing = ResponseHead::Framing::length;
  } else {
    head.framing = ResponseHead::Framing::until_close;
    head.keep_alive = false;
  }
  return head;
}

}  // namespace tarn::http
