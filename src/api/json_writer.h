// JSON appended straight to a string: no tree in between. The caller keeps the order of calls
// sound (a key before each member's value); commas and escaping are done here.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::api {

/// `text` with every byte that is not part of valid UTF-8 replaced by U+FFFD.
std::string to_valid_utf8(std::string_view text);

class JsonWriter {
 public:
  /// Appends to `out`, which must outlive the writer.
  explicit JsonWriter(std::string& out) : out_(out) {}

  void begin_object();
  void end_object();
  void begin_array();
  void end_array();
  /// `name` is a literal of ours: not escaped.
  void key(std::string_view name);

  /// Invalid UTF-8 becomes U+FFFD.
  void value(std::string_view text);

  void value(const std::string& text) { value(std::string_view(text)); }

  void value(const char* text) { value(std::string_view(text)); }

  void value(bool flag);

  template <std::integral T>
  void value(T number) {
    integer(static_cast<std::int64_t>(number));
  }

  void value(const std::map<std::string, std::string>& pairs);
  void value(const std::vector<std::string>& texts);
  void value(std::span<const std::string_view> texts);
  void null();

  template <class T>
  void member(std::string_view name, const T& content) {
    key(name);
    value(content);
  }

  /// Left out when there is none.
  template <class T>
  void member(std::string_view name, const std::optional<T>& content) {
    if (content) member(name, *content);
  }

 private:
  void separate();
  /// Makes the text longer; the caller fills all of it.
  char* extend(std::size_t size);
  void integer(std::int64_t number);

  std::string& out_;
  bool need_comma_ = false;
};

/// A document of the wire: `write(JsonWriter&, const T&)` of T's namespace, and a final newline.
template <class T>
std::string to_json(const T& model) {
  std::string out;
  JsonWriter writer(out);
  write(writer, model);
  out += '\n';
  return out;
}

}  // namespace tarn::api
