#include "aws/xml_writer.h"

#include "base/bytes.h"
#include "base/error.h"
#include "base/format.h"

namespace tarn::aws {

namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

/// Length of the well-formed character at the front of `text` that XML can hold; 0 if there is
/// none.
std::size_t character_bytes(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  const std::string_view character = text.substr(0, size);
  if (character.size() != size || !is_valid_utf8(character)) return 0;
  // U+FFFE and U+FFFF are characters of Unicode, not of XML.
  if (character == "\xef\xbf\xbe" || character == "\xef\xbf\xbf") return 0;
  return size;
}

bool is_plain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte >= 0x20 && byte < 0x7f && c != '&' && c != '<' && c != '>' && c != '"' &&
          c != '\'') ||
         c == '\t' || c == '\n';
}

}  // namespace

void append_xml_escaped(std::string& out, std::string_view text) {
  while (!text.empty()) {
    std::size_t plain = 0;
    while (plain < text.size() && is_plain(text[plain]))
      ++plain;
    out.append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) return;
    std::size_t taken = 1;
    const char c = text.front();
    switch (c) {
      case '&': out.append("&amp;"); break;
      case '<': out.append("&lt;"); break;
      case '>': out.append("&gt;"); break;
      case '"': out.append("&quot;"); break;
      case '\'': out.append("&#39;"); break;
      default:
        if (static_cast<unsigned char>(c) < 0x80) {
          append_format(out, "&#{};", static_cast<int>(c));
        } else if (const std::size_t size = character_bytes(text); size > 0) {
          out.append(text.substr(0, size));
          taken = size;
        } else {
          out.append(kReplacement);
        }
    }
    text.remove_prefix(taken);
  }
}

XmlWriter::XmlWriter(std::string_view root, std::string_view xmlns) {
  out_.reserve(1'024);
  out_.append("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
  if (xmlns.empty()) {
    open(root);
  } else {
    open(root, format("xmlns=\"{}\"", xmlns));
  }
}

void XmlWriter::open(std::string_view name) {
  out_.append(1, '<').append(name).append(1, '>');
  open_.push_back(name);
}

void XmlWriter::open(std::string_view name, std::string_view attributes) {
  out_.append(1, '<').append(name).append(1, ' ').append(attributes).append(1, '>');
  open_.push_back(name);
}

void XmlWriter::close() {
  TARN_ASSERT(!open_.empty());
  out_.append("</").append(open_.back()).append(1, '>');
  open_.pop_back();
}

void XmlWriter::element(std::string_view name, std::string_view text) {
  out_.append(1, '<').append(name).append(1, '>');
  append_xml_escaped(out_, text);
  out_.append("</").append(name).append(1, '>');
}

void XmlWriter::key(std::string_view name, std::string_view text, KeyEncoding encoding) {
  if (encoding == KeyEncoding::plain) {
    element(name, text);
  } else {
    element(name, std::string_view(encode_key(text, encoding)));
  }
}

void XmlWriter::etag(std::string_view name, std::string_view etag) {
  out_.append(1, '<').append(name).append(">&quot;");
  append_xml_escaped(out_, etag);
  out_.append("&quot;</").append(name).append(1, '>');
}

std::string XmlWriter::finish() {
  while (!open_.empty())
    close();
  return std::move(out_);
}

std::string encode_key(std::string_view key, KeyEncoding encoding) {
  return encoding == KeyEncoding::plain ? std::string(key) : percent_encode(key, "/");
}

}  // namespace tarn::aws
