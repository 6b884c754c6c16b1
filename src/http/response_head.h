// From bytes to a response's head, for the client. Pure. What two parsers could read differently is
// refused: a kept connection must not lose its place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "http/request_head.h"

namespace tarn::http {

/// Views point into the bytes that were parsed.
struct ResponseHead {
  enum class Framing { none, length, chunked, until_close };

  std::uint16_t status = 0;
  bool keep_alive = false;
  Framing framing = Framing::none;
  std::uint64_t content_length = 0;
  bool has_length = false;  // said in the head, also where no body follows
  std::vector<HeadField> fields;
};

/// Parses one complete head, its empty line included (HeadScanner finds it). `to_head` tells that
/// the request was a HEAD, whose responses have no body whatever they say.
std::expected<ResponseHead, ParseError> parse_response_head(std::string_view bytes, bool to_head);

}  // namespace tarn::http
