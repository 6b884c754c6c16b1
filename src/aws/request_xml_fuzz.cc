#include "aws/request_xml.h"
#include "aws/xml_writer.h"
#include "base/bytes.h"
#include "base/error.h"
#include "testing/fuzz.h"

namespace tarn::fuzz {

namespace {

void check_delete(std::string_view body) {
  const auto request = aws::parse_delete(body);
  if (!request) return;
  TARN_ASSERT(!request->objects.empty() && request->objects.size() <= aws::kDeleteObjectsMax);
  aws::XmlWriter xml("Delete");
  for (const auto& object : request->objects) {
    xml.open("Object");
    xml.element("Key", object.key);
    xml.close();
  }
  const auto again = aws::parse_delete(xml.finish());
  TARN_ASSERT(again && again->objects.size() == request->objects.size());
  for (std::size_t i = 0; i < request->objects.size(); ++i)
    TARN_ASSERT(again->objects[i].key == request->objects[i].key);
}

void check_complete(std::string_view body) {
  const auto parts = aws::parse_complete_upload(body);
  if (!parts) return;
  std::uint32_t last = 0;
  for (const aws::CompletedPart& part : *parts) {
    TARN_ASSERT(part.number > last && part.number <= aws::kPartNumberMax);
    last = part.number;
  }
}

void check_tags(std::string_view body) {
  const auto tags = aws::parse_tagging(body);
  if (!tags) return;
  TARN_ASSERT(tags->size() <= aws::kTagsMax);
  aws::XmlWriter xml("Tagging");
  xml.open("TagSet");
  for (const auto& [key, value] : *tags) {
    xml.open("Tag");
    xml.element("Key", key);
    xml.element("Value", value);
    xml.close();
  }
  TARN_ASSERT(aws::parse_tagging(xml.finish()) == *tags);
}

/// Any text at all can be written; printable text comes back.
void check_writer(std::string_view text) {
  if (text.empty() || text.size() > 100 || !is_valid_utf8(text)) return;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20) return;
  }
  if (text.find("\xef\xbf\xbe") != text.npos || text.find("\xef\xbf\xbf") != text.npos) return;
  aws::XmlWriter xml("Delete");
  xml.open("Object");
  xml.element("Key", text);
  xml.close();
  const auto parsed = aws::parse_delete(xml.finish());
  TARN_ASSERT(parsed && parsed->objects.front().key == text);
}

}  // namespace

void run(std::string_view input) {
  check_delete(input);
  check_complete(input);
  check_tags(input);
  check_writer(input);
  static_cast<void>(aws::parse_create_bucket(input));
  static_cast<void>(aws::parse_tagging_header(input));
  const std::string etag = aws::normalize_etag(input);
  TARN_ASSERT(etag.size() <= input.size());
}

}  // namespace tarn::fuzz
