#include "block/s3/documents.h"

#include <algorithm>
#include <charconv>

#include <pugixml.hpp>

#include "aws/xml_writer.h"
#include "base/bytes.h"

namespace tarn::block::s3 {

namespace {

std::unexpected<ParseError> bad(std::string_view why) {
  return std::unexpected(ParseError{std::string(why)});
}

std::string_view local_name(const pugi::xml_node& node) {
  const std::string_view name = node.name();
  const auto colon = name.find(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

/// A document and its root, whatever the prefix of its namespace. Elements below are by plain name,
/// as every service writes them.
class Document {
 public:
  explicit Document(std::string_view xml) {
    if (xml.size() > kDocumentBytesMax) return;
    constexpr unsigned kOptions =
        pugi::parse_escapes | pugi::parse_cdata | pugi::parse_eol | pugi::parse_ws_pcdata_single;
    if (!xml_.load_buffer(xml.data(), xml.size(), kOptions, pugi::encoding_utf8)) return;
    root_ = xml_.document_element();
  }

  pugi::xml_node root(std::string_view name) const {
    return root_ && local_name(root_) == name ? root_ : pugi::xml_node();
  }

  pugi::xml_node root() const { return root_; }

 private:
  pugi::xml_document xml_;
  pugi::xml_node root_;
};

std::string_view text(const pugi::xml_node& node, const char* name) {
  return node.child_value(name);
}

template <class T>
bool parse_number(std::string_view digits, T& out) {
  const char* const end = digits.data() + digits.size();
  const auto parsed = std::from_chars(digits.data(), end, out);
  return parsed.ec == std::errc{} && parsed.ptr == end && !digits.empty();
}

}  // namespace

std::string plain_etag(std::string_view etag) {
  if (etag.starts_with("W/")) etag.remove_prefix(2);
  std::string out;
  std::ranges::copy_if(etag, std::back_inserter(out), [](char c) { return c != '"'; });
  return out;
}

bool is_md5_etag(std::string_view etag) {
  return etag.size() == 32 && std::ranges::all_of(etag, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

ErrorDocument find_error(std::string_view xml) {
  if (xml.find("Error") == std::string_view::npos) return {};
  const Document document(xml);
  const pugi::xml_node root = document.root("Error");
  if (!root) return {};
  ErrorDocument out{.code = std::string(text(root, "Code")),
                    .region = std::string(text(root, "Region"))};
  if (out.code.empty()) out.code = "Unknown";
  return out;
}

std::expected<ListDocument, ParseError> parse_list(std::string_view xml) {
  const Document document(xml);
  const pugi::xml_node root = document.root("ListBucketResult");
  if (!root) return bad("no ListBucketResult");
  const bool encoded = text(root, "EncodingType") == "url";
  ListDocument out{.objects = {},
                   .truncated = text(root, "IsTruncated") == "true",
                   .next = std::string(text(root, "NextContinuationToken"))};
  if (out.truncated && out.next.empty()) return bad("a list that ends nowhere");
  for (const pugi::xml_node item : root.children("Contents")) {
    ListedObject object;
    const std::string_view key = text(item, "Key");
    // '+' is a space to services that encode keys as forms.
    std::string raw(key);
    if (encoded) std::ranges::replace(raw, '+', ' ');
    const auto decoded = encoded ? percent_decode(raw) : std::optional(raw);
    const auto modified = parse_rfc3339(text(item, "LastModified"));
    if (!decoded || decoded->empty() || !modified ||
        !parse_number(text(item, "Size"), object.size)) {
      return bad("a broken item of a list");
    }
    object.address = *decoded;
    object.last_modified = *modified;
    object.etag = plain_etag(text(item, "ETag"));
    out.objects.push_back(std::move(object));
  }
  return out;
}

std::expected<std::string, ParseError> parse_upload_id(std::string_view xml) {
  const Document document(xml);
  std::string id(text(document.root("InitiateMultipartUploadResult"), "UploadId"));
  if (id.empty() || id.size() > 1'024) return bad("no UploadId");
  return id;
}

std::expected<std::string, ParseError> parse_etag(std::string_view xml) {
  const Document document(xml);
  const std::string_view name = document.root() ? local_name(document.root()) : std::string_view();
  if (name != "CompleteMultipartUploadResult" && name != "CopyObjectResult" &&
      name != "CopyPartResult") {
    return bad("an unexpected document");
  }
  std::string etag = plain_etag(text(document.root(), "ETag"));
  if (etag.empty()) return bad("no ETag");
  return etag;
}

std::expected<PartsDocument, ParseError> parse_parts(std::string_view xml) {
  const Document document(xml);
  pugi::xml_node root = document.root("ListPartsResult");
  if (!root) root = document.root("ListPartsResponse");  // moto's word for it
  if (!root) return bad("no ListPartsResult");
  PartsDocument out{.parts = {}, .truncated = text(root, "IsTruncated") == "true"};
  for (const pugi::xml_node item : root.children("Part")) {
    PartInfo part;
    const auto modified = parse_rfc3339(text(item, "LastModified"));
    if (!modified || !parse_number(text(item, "PartNumber"), part.number) ||
        !parse_number(text(item, "Size"), part.size)) {
      return bad("a broken part of a list");
    }
    part.last_modified = *modified;
    part.etag = plain_etag(text(item, "ETag"));
    out.parts.push_back(std::move(part));
  }
  return out;
}

bool is_xml_text(std::string_view key) {
  return is_valid_utf8(key) && std::ranges::none_of(key, [](char c) {
           return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
         });
}

std::string delete_document(const std::vector<std::string>& keys) {
  aws::XmlWriter writer("Delete");
  writer.element("Quiet", true);
  for (const std::string& key : keys) {
    writer.open("Object");
    writer.key("Key", key, aws::KeyEncoding::plain);
    writer.close();
  }
  return writer.finish();
}

std::expected<std::vector<std::string>, ParseError> parse_delete_failures(std::string_view xml) {
  const Document document(xml);
  const pugi::xml_node root = document.root("DeleteResult");
  if (!root) return bad("no DeleteResult");
  std::vector<std::string> codes;
  for (const pugi::xml_node item : root.children("Error")) {
    const std::string_view code = text(item, "Code");
    if (code != "NoSuchKey") codes.emplace_back(code.empty() ? "Unknown" : code);
  }
  return codes;
}

std::string complete_document(const std::vector<Part>& parts) {
  aws::XmlWriter writer("CompleteMultipartUpload");
  for (const Part& part : parts) {
    writer.open("Part");
    writer.element("PartNumber", part.number);
    writer.etag("ETag", plain_etag(part.etag));
    writer.close();
  }
  return writer.finish();
}

}  // namespace tarn::block::s3
