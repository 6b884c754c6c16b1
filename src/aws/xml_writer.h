// Append-only writer of S3's XML answers: one line, escaped, always well-formed.
#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::aws {

inline constexpr std::string_view kS3Namespace = "http://s3.amazonaws.com/doc/2006-03-01/";

/// How names that may hold any byte are written: percent-encoded when encoding-type=url was asked.
enum class KeyEncoding { plain, url };

/// Names and attributes must be literals: they are written as they are and kept by reference.
class XmlWriter {
 public:
  /// Writes the declaration and opens the root; an empty `xmlns` writes no namespace.
  explicit XmlWriter(std::string_view root, std::string_view xmlns = kS3Namespace);

  void open(std::string_view name);
  /// With attributes as raw text: open("Grantee", R"(xsi:type="CanonicalUser")").
  void open(std::string_view name, std::string_view attributes);
  void close();

  void element(std::string_view name, std::string_view text);

  void element(std::string_view name, const char* text) { element(name, std::string_view(text)); }

  void element(std::string_view name, std::same_as<bool> auto value) {
    element(name, value ? std::string_view("true") : std::string_view("false"));
  }

  void element(std::string_view name, std::integral auto value)
    requires(!std::same_as<decltype(value), bool>)
  {
    element(name, std::string_view(std::to_string(value)));
  }

  /// Key, Prefix, Delimiter, Marker and their kin (A6.2).
  void key(std::string_view name, std::string_view text, KeyEncoding encoding);
  /// An ETag with its quotes, which it is given without.
  void etag(std::string_view name, std::string_view etag);

  /// Bytes so far, for limits.
  std::size_t size() const noexcept { return out_.size(); }

  /// Closes what is open, returns the document.
  std::string finish();

 private:
  std::string out_;
  std::vector<std::string_view> open_;
};

/// Escapes `& < > " '`, writes carriage returns and other controls as numeric references, and
/// anything that is not UTF-8 as U+FFFD.
void append_xml_escaped(std::string& out, std::string_view text);

/// Keeps unreserved characters and '/', percent-encodes every other byte.
std::string encode_key(std::string_view key, KeyEncoding encoding);

}  // namespace tarn::aws
