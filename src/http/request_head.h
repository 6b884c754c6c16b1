// From bytes to a request's head: where it ends, and what it says. Pure. Strict on purpose: what
// two parsers in a row could read differently is refused (request smuggling).
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::http {

struct HeadField {
  std::string_view name;
  std::string_view value;
};

/// A request that is answered and hung up on before any handler sees it.
struct HeadError {
  std::uint16_t status;
  std::string_view reason;  // static text, shown to the client
};

/// Views point into the bytes that were parsed. Reused from request to request for its memory.
struct RequestHead {
  enum class Framing { none, length, chunked };

  std::string_view method;
  std::string_view target;  // origin form
  bool http10 = false;
  bool keep_alive = true;  // what the client wants
  bool expects_continue = false;
  Framing framing = Framing::none;
  std::uint64_t content_length = 0;
  std::vector<HeadField> fields;
  std::string rewritten;  // target's bytes when it had to be built ("http://host?x")

  std::string_view path() const { return target.substr(0, target.find('?')); }

  std::string_view query() const;
  /// First field of that name, compared without case.
  std::optional<std::string_view> find(std::string_view name) const;
};

/// Looks for the end of a head in bytes that arrive bit by bit, each byte once.
class HeadScanner {
 public:
  /// The head's length, its final empty line included, once `data` holds all of it; nullopt = more
  /// is needed. `data` starts at the request line and grows between calls. 400 for a line that does
  /// not end in CRLF and for folded lines, 431 beyond `bytes_max`.
  std::expected<std::optional<std::size_t>, HeadError> scan(std::string_view data,
                                                            std::size_t bytes_max);

 private:
  std::size_t at_ = 0;
  std::size_t line_ = 0;  // where the current line starts
};

/// Bytes of empty lines before a request line, which RFC 9112 2.2 tells servers to skip.
std::size_t leading_empty_lines(std::string_view data);

/// Parses one complete head. 400 for what is malformed or ambiguous, 501 for a transfer coding
/// other than chunked, 505 for a version other than 1.0 and 1.1. `head` is overwritten.
std::expected<void, HeadError> parse_head(std::string_view bytes, RequestHead& head);

bool equal_without_case(std::string_view a, std::string_view b);
/// RFC 9110 token: what a header name is made of.
bool is_token(std::string_view text);

}  // namespace tarn::http
