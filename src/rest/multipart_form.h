// multipart/form-data (RFC 7578): the bytes of one named part, while they arrive.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "base/context.h"
#include "base/error.h"
#include "base/task.h"
#include "io/byte_source.h"

namespace tarn::rest {

/// The boundary of a Content-Type: nullopt if this is no multipart/form-data, an error if it is one
/// without a usable boundary.
std::expected<std::optional<std::string>, ParseError> parse_form_boundary(
    std::string_view content_type);

/// Finds the first part of a name in a stream of bytes fed piece by piece. Pure; keeps at most one
/// piece, a delimiter and kHeadMax bytes.
class FormParser {
 public:
  static constexpr std::size_t kHeadMax = 16'384;  // headers of one part

  FormParser(std::string_view boundary, std::string_view part_name);

  enum class State : std::uint8_t {
    seeking,  // before the part
    inside,   // its head is read: content_type() is known
    done,     // the part has ended
    missing,  // the form has ended without it
  };

  State state() const { return state_; }

  /// Of the part; "" if it does not say.
  const std::string& content_type() const { return content_type_; }

  /// Takes more of the body. Throws Error{invalid_argument} for a part whose head does not parse.
  void feed(std::string_view piece);

  /// Bytes of the part that can be told from a delimiter so far; moves them out.
  std::string take();

 private:
  /// Where the next delimiter is, or, without one, the first byte that may belong to it.
  struct Search {
    std::size_t at;
    bool found;
  };

  Search find_delimiter() const;
  /// One step over buffer_; false when it needs more.
  bool step();
  bool read_delimiter_end();
  bool read_head();
  bool skip_part();
  bool read_part();
  void open_part(std::string_view head);

  enum class Place : std::uint8_t { preamble, after_delimiter, head, other_part, part, end };

  const std::string delimiter_;  // CRLF "--" boundary
  const std::string part_name_;
  State state_ = State::seeking;
  Place place_ = Place::preamble;
  std::string buffer_;
  std::string ready_;
  std::string content_type_;
};

/// The part as a body. open() comes before read().
class FormPartSource final : public io::ByteSource {
 public:
  /// `body` must outlive it.
  FormPartSource(io::ByteSource& body, std::string_view boundary, std::string_view part_name);

  /// Reads up to the part's content; its Content-Type. Error{invalid_argument} if the form has no
  /// such part.
  Task<std::string> open(Context& ctx);

  /// Error{invalid_argument} when the body ends within the part.
  Task<std::string_view> read(Context& ctx) override;

  std::optional<std::uint64_t> size() const override { return std::nullopt; }

 private:
  io::ByteSource& body_;
  FormParser parser_;
  const std::string part_name_;
  std::string piece_;
};

}  // namespace tarn::rest
