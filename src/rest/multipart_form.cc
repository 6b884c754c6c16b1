#include "rest/multipart_form.h"

#include <algorithm>
#include <vector>

#include "base/format.h"

namespace tarn::rest {

namespace {

constexpr std::size_t kBoundaryMax = 70;  // RFC 2046 5.1.1

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

bool is_word(std::string_view text, std::string_view lower_case) {
  return std::ranges::equal(text, lower_case, {}, lower);
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
    text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t'))
    text.remove_suffix(1);
  return text;
}

struct HeaderValue {
  std::string_view value;
  std::vector<std::pair<std::string_view, std::string>> params;

  std::optional<std::string> param(std::string_view name) const {
    for (const auto& [key, value_text] : params) {
      if (is_word(key, name)) return value_text;
    }
    return std::nullopt;
  }
};

/// Takes a parameter's value, quoted or not, off the front of `text`.
std::string take_param_value(std::string_view& text) {
  std::string out;
  if (!text.starts_with('"')) {
    const std::string_view token = text.substr(0, text.find(';'));
    text.remove_prefix(token.size());
    return std::string(trimmed(token));
  }
  std::size_t i = 1;
  for (; i < text.size() && text[i] != '"'; ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    out += text[i];
  }
  text.remove_prefix(std::min(i + 1, text.size()));
  return out;
}

/// `form-data; name="content"; filename="a;b"`
HeaderValue parse_header_value(std::string_view text) {
  HeaderValue parsed;
  parsed.value = trimmed(text.substr(0, text.find(';')));
  text.remove_prefix(std::min(text.find(';'), text.size()));
  while (text.starts_with(';')) {
    text = trimmed(text.substr(1));
    const auto equals = text.find_first_of("=;");
    if (equals == std::string_view::npos || text[equals] == ';') {
      text.remove_prefix(std::min(equals, text.size()));
      continue;
    }
    const std::string_view name = trimmed(text.substr(0, equals));
    text = trimmed(text.substr(equals + 1));
    parsed.params.emplace_back(name, take_param_value(text));
    text.remove_prefix(std::min(text.find(';'), text.size()));
  }
  return parsed;
}

[[noreturn]] void refuse(std::string text) {
  throw Error(ErrorCode::invalid_argument, std::move(text));
}

}  // namespace

std::expected<std::optional<std::string>, ParseError> parse_form_boundary(
    std::string_view content_type) {
  const HeaderValue parsed = parse_header_value(content_type);
  if (!is_word(parsed.value, "multipart/form-data")) return std::nullopt;
  auto boundary = parsed.param("boundary");
  if (!boundary || boundary->empty() || boundary->size() > kBoundaryMax) {
    return std::unexpected(ParseError{"no multipart boundary param in Content-Type"});
  }
  return boundary;
}

FormParser::FormParser(std::string_view boundary, std::string_view part_name)
    : delimiter_(std::string("\r\n--").append(boundary)),
      part_name_(part_name),
      // The first delimiter may stand at the very start; as if a line had ended before it.
      buffer_("\r\n") {}

void FormParser::feed(std::string_view piece) {
  if (state_ == State::done || state_ == State::missing) return;
  buffer_ += piece;
  while (step()) {
  }
}

std::string FormParser::take() {
  return std::exchange(ready_, {});
}

bool FormParser::step() {
  switch (place_) {
    case Place::preamble:
    case Place::other_part: return skip_part();
    case Place::after_delimiter: return read_delimiter_end();
    case Place::head: return read_head();
    case Place::part: return read_part();
    case Place::end: return false;
  }
  std::unreachable();
}

/// What follows a delimiter: "--" ends the form, a line break begins a part.
bool FormParser::read_delimiter_end() {
  const auto line_end = buffer_.find("\r\n");
  if (buffer_.starts_with("--")) {
    state_ = State::missing;
    place_ = Place::end;
    return false;
  }
  if (line_end == std::string::npos) {
    if (buffer_.size() > kHeadMax) refuse("malformed multipart body");
    return false;
  }
  if (!trimmed(std::string_view(buffer_).substr(0, line_end)).empty()) {
    refuse("malformed multipart body");
  }
  buffer_.erase(0, line_end);  // the line break stays: an empty head is one more of them
  place_ = Place::head;
  return true;
}

bool FormParser::read_head() {
  const auto end = buffer_.find("\r\n\r\n");
  if (end == std::string::npos) {
    if (buffer_.size() > kHeadMax) refuse("multipart: part headers too large");
    return false;
  }
  open_part(std::string_view(buffer_).substr(0, end + 2));
  buffer_.erase(0, end + 4);
  return true;
}

void FormParser::open_part(std::string_view head) {
  bool wanted = false;
  std::string content_type;
  while (!head.empty()) {
    const std::string_view line = head.substr(0, head.find("\r\n"));
    head.remove_prefix(std::min(line.size() + 2, head.size()));
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) {
      if (!trimmed(line).empty()) refuse("malformed multipart body");
      continue;
    }
    const std::string_view name = trimmed(line.substr(0, colon));
    const std::string_view value = trimmed(line.substr(colon + 1));
    if (is_word(name, "content-type")) content_type = value;
    if (is_word(name, "content-disposition")) {
      wanted = parse_header_value(value).param("name") == part_name_;
    }
  }
  place_ = wanted ? Place::part : Place::other_part;
  if (!wanted) return;
  state_ = State::inside;
  content_type_ = std::move(content_type);
}

FormParser::Search FormParser::find_delimiter() const {
  constexpr std::size_t kTail = 2;  // what tells a delimiter from content that looks like one
  for (auto at = buffer_.find(delimiter_); at != std::string::npos;
       at = buffer_.find(delimiter_, at + 1)) {
    const std::string_view tail =
        std::string_view(buffer_).substr(at + delimiter_.size()).substr(0, kTail);
    if (tail.size() < kTail) return {at, false};
    if (tail == "--" || tail == "\r\n" || tail[0] == ' ' || tail[0] == '\t') return {at, true};
  }
  const std::size_t keep = delimiter_.size() - 1;
  return {buffer_.size() - std::min(buffer_.size(), keep), false};
}

bool FormParser::skip_part() {
  const Search search = find_delimiter();
  buffer_.erase(0, search.at);
  if (!search.found) return false;
  buffer_.erase(0, delimiter_.size());
  place_ = Place::after_delimiter;
  return true;
}

bool FormParser::read_part() {
  const Search search = find_delimiter();
  ready_.append(buffer_, 0, search.at);
  buffer_.erase(0, search.at);
  if (!search.found) return false;
  state_ = State::done;
  place_ = Place::end;
  return false;
}

FormPartSource::FormPartSource(io::ByteSource& body, std::string_view boundary,
                               std::string_view part_name)
    : body_(body), parser_(boundary, part_name), part_name_(part_name) {}

Task<std::string> FormPartSource::open(Context& ctx) {
  while (parser_.state() == FormParser::State::seeking) {
    const std::string_view piece = co_await body_.read(ctx);
    if (piece.empty()) break;
    parser_.feed(piece);
  }
  if (parser_.state() == FormParser::State::seeking ||
      parser_.state() == FormParser::State::missing) {
    refuse(format("multipart upload missing key '{}': http: no such file", part_name_));
  }
  co_return parser_.content_type();
}

Task<std::string_view> FormPartSource::read(Context& ctx) {
  piece_ = parser_.take();
  while (piece_.empty() && parser_.state() == FormParser::State::inside) {
    const std::string_view piece = co_await body_.read(ctx);
    if (piece.empty()) refuse("unexpected EOF\nfailed to write to storage");
    parser_.feed(piece);
    piece_ = parser_.take();
  }
  co_return piece_;
}

}  // namespace tarn::rest
