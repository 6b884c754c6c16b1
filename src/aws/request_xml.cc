#include "aws/request_xml.h"

#include <algorithm>
#include <charconv>
#include <ranges>

#include <pugixml.hpp>

#include "base/bytes.h"
#include "base/format.h"

namespace tarn::aws {

namespace {

constexpr std::size_t kDepthMax = 8;
constexpr std::size_t kElementsMax = 120'000;  // 10,000 parts with every checksum, and some room
constexpr std::size_t kTagKeyCharactersMax = 128;
constexpr std::size_t kTagValueCharactersMax = 256;

S3Error malformed_xml() {
  return {.code = S3ErrorCode::malformed_xml};
}

std::unexpected<S3Error> refuse(S3ErrorCode code, std::string_view message = {}) {
  return std::unexpected(S3Error{.code = code, .message = std::string(message)});
}

// The reader of `a node` throws this within the file; the public functions turn it into a value.
struct Malformed {};

/// What pugixml would let pass or cut short: DTDs, unknown entities, NUL, depth, element counts.
/// It judges the bytes by the same token rules, so that nothing hides from it.
class Screen {
 public:
  explicit Screen(std::string_view text) : rest_(text) {}

  bool passes() {
    if (rest_.find('\0') != std::string_view::npos || !is_valid_utf8(rest_)) return false;
    while (!rest_.empty()) {
      const std::size_t special = rest_.find_first_of("<&");
      if (special == std::string_view::npos) break;
      rest_.remove_prefix(special);
      const bool ok = rest_.front() == '&' ? reference() : markup();
      if (!ok) return false;
    }
    return depth_ == 0 && elements_ > 0;
  }

 private:
  bool skip_past(std::string_view end) {
    const std::size_t found = rest_.find(end);
    if (found == std::string_view::npos) return false;
    rest_.remove_prefix(found + end.size());
    return true;
  }

  bool markup() {
    if (rest_.starts_with("<!--")) {
      rest_.remove_prefix(4);
      return skip_past("-->");
    }
    if (rest_.starts_with("<![CDATA[")) return depth_ > 0 && skip_past("]]>");
    if (rest_.starts_with("<?")) return skip_past("?>");
    if (rest_.starts_with("<!")) return false;
    return tag();
  }

  bool tag() {
    const bool closing = rest_.starts_with("</");
    rest_.remove_prefix(1);
    char quote = 0;
    char previous = 0;
    while (!rest_.empty()) {
      const char c = rest_.front();
      if (c == '<') return false;
      if (c == '&') {
        if (!reference()) return false;
        continue;
      }
      rest_.remove_prefix(1);
      if (quote != 0) {
        if (c == quote) quote = 0;
      } else if (c == '"' || c == '\'') {
        quote = c;
      } else if (c == '>') {
        return count(closing, previous == '/');
      }
      previous = c;
    }
    return false;
  }

  bool count(bool closing, bool empty) {
    if (closing) return depth_-- > 0;
    if (++elements_ > kElementsMax || depth_ >= kDepthMax) return false;
    if (!empty) ++depth_;
    return true;
  }

  bool reference() {
    const std::size_t end = rest_.substr(0, 12).find(';');
    if (end == std::string_view::npos) return false;
    const std::string_view name = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    if (name == "amp" || name == "lt" || name == "gt" || name == "quot" || name == "apos") {
      return true;
    }
    if (!name.starts_with('#')) return false;
    const bool hex = name.starts_with("#x");
    const std::string_view digits = name.substr(hex ? 2 : 1);
    std::uint32_t code = 0;
    const auto [stop, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), code, hex ? 16 : 10);
    const bool surrogate = code >= 0xd800 && code <= 0xdfff;
    return error == std::errc() && stop == digits.data() + digits.size() && code != 0 &&
           code <= 0x10ffff && !surrogate;
  }

  std::string_view rest_;
  std::size_t depth_ = 0;
  std::size_t elements_ = 0;
};

std::string_view local_name(pugi::xml_node node) {
  const std::string_view name = node.name();
  return name.substr(name.rfind(':') + 1);  // npos + 1 is 0
}

/// A screened document with the root it must have.
class Document {
 public:
  Document(std::string_view body, std::size_t bytes_max, std::string_view root) {
    if (body.starts_with("\xef\xbb\xbf")) body.remove_prefix(3);
    if (body.size() > bytes_max || !Screen(body).passes()) throw Malformed();
    constexpr unsigned kOptions =
        pugi::parse_escapes | pugi::parse_cdata | pugi::parse_eol | pugi::parse_ws_pcdata_single;
    if (!xml_.load_buffer(body.data(), body.size(), kOptions, pugi::encoding_utf8)) {
      throw Malformed();
    }
    for (const pugi::xml_node node : xml_.children()) {
      if (node.type() != pugi::node_element) continue;
      if (root_ || local_name(node) != root) throw Malformed();
      root_ = node;
    }
    if (!root_) throw Malformed();
  }

  pugi::xml_node root() const { return root_; }

 private:
  pugi::xml_document xml_;
  pugi::xml_node root_;
};

template <class Visit>
void for_each_element(pugi::xml_node parent, Visit&& visit) {
  for (const pugi::xml_node node : parent.children()) {
    if (node.type() == pugi::node_element) visit(local_name(node), node);
  }
}

/// The text of an element that holds nothing else.
std::string text_of(pugi::xml_node element) {
  std::string text;
  for (const pugi::xml_node node : element.children()) {
    if (node.type() == pugi::node_element) throw Malformed();
    text.append(node.value());
  }
  return text;
}

void set_once(std::optional<std::string>& slot, pugi::xml_node element) {
  if (slot) throw Malformed();
  slot = text_of(element);
}

std::uint64_t parse_number(std::string_view text) {
  text = trim(text);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) throw Malformed();
  return value;
}

ObjectToDelete read_object(pugi::xml_node node) {
  std::optional<std::string> key, version, etag, modified, size;
  for_each_element(node, [&](std::string_view name, pugi::xml_node child) {
    if (name == "Key") set_once(key, child);
    if (name == "VersionId") set_once(version, child);
    if (name == "ETag") set_once(etag, child);
    if (name == "LastModifiedTime") set_once(modified, child);
    if (name == "Size") set_once(size, child);
  });
  if (!key || key->empty()) throw Malformed();
  ObjectToDelete object{.key = std::move(*key),
                        .version_id = std::move(version),
                        .etag = std::nullopt,
                        .last_modified = std::move(modified),
                        .size = std::nullopt};
  if (etag) object.etag = normalize_etag(*etag);
  if (size) object.size = parse_number(*size);
  return object;
}

/// S3 calls a whole number outside the range a wrong argument, and anything else malformed.
std::expected<std::uint32_t, S3Error> read_part_number(std::string_view text) {
  text = trim(text);
  const bool negative = text.starts_with('-');
  const std::uint64_t number = parse_number(negative ? text.substr(1) : text);
  if (negative || number < 1 || number > kPartNumberMax) {
    return std::unexpected(
        S3Error{.code = S3ErrorCode::invalid_argument,
                .message = "PartNumber must be an integer between 1 and 10000, inclusive",
                .details = {{"ArgumentName", "partNumber"}, {"ArgumentValue", std::string(text)}}});
  }
  return static_cast<std::uint32_t>(number);
}

std::optional<ChecksumAlgorithm> find_checksum_element(std::string_view name) {
  for (const ChecksumAlgorithm algorithm : kChecksumAlgorithms) {
    if (name == element_name(algorithm)) return algorithm;
  }
  return std::nullopt;
}

std::expected<CompletedPart, S3Error> read_part(pugi::xml_node node) {
  std::optional<std::string> number, etag;
  CompletedPart part;
  std::optional<S3Error> wrong;
  for_each_element(node, [&](std::string_view name, pugi::xml_node child) {
    if (name == "PartNumber") set_once(number, child);
    if (name == "ETag") set_once(etag, child);
    const auto algorithm = find_checksum_element(name);
    if (!algorithm) return;
    auto value = parse_checksum_value(*algorithm, trim(text_of(child)));
    if (value) {
      part.checksums.emplace_back(*algorithm, std::move(*value));
    } else {
      wrong = std::move(value.error());
    }
  });
  if (!number || !etag) throw Malformed();
  if (wrong) return std::unexpected(std::move(*wrong));
  const auto value = read_part_number(*number);
  if (!value) return std::unexpected(value.error());
  part.number = *value;
  part.etag = normalize_etag(*etag);
  if (part.etag.empty()) throw Malformed();
  return part;
}

std::size_t characters(std::string_view utf8) {
  return static_cast<std::size_t>(std::ranges::count_if(
      utf8, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::expected<Tags, S3Error> checked(Tags tags) {
  if (tags.size() > kTagsMax) {
    return refuse(S3ErrorCode::invalid_tag, "Object tags cannot be greater than 10");
  }
  std::vector<std::string_view> keys;
  for (const auto& [key, value] : tags) {
    const std::size_t length = characters(key);
    if (length == 0 || length > kTagKeyCharactersMax || !is_valid_utf8(key)) {
      return std::unexpected(S3Error{.code = S3ErrorCode::invalid_tag,
                                     .message = "The TagKey you have provided is invalid",
                                     .details = {{"TagKey", key}}});
    }
    if (characters(value) > kTagValueCharactersMax || !is_valid_utf8(value)) {
      return std::unexpected(S3Error{.code = S3ErrorCode::invalid_tag,
                                     .message = "The TagValue you have provided is invalid",
                                     .details = {{"TagKey", key}, {"TagValue", value}}});
    }
    keys.push_back(key);
  }
  std::ranges::sort(keys);
  if (const auto twice = std::ranges::adjacent_find(keys); twice != keys.end()) {
    return std::unexpected(S3Error{.code = S3ErrorCode::invalid_tag,
                                   .message = "Cannot provide multiple Tags with the same key",
                                   .details = {{"TagKey", std::string(*twice)}}});
  }
  return tags;
}

Tags read_tags(pugi::xml_node root) {
  Tags tags;
  bool has_set = false;
  for_each_element(root, [&](std::string_view name, pugi::xml_node set) {
    if (name != "TagSet") return;
    if (std::exchange(has_set, true)) throw Malformed();
    for_each_element(set, [&](std::string_view kind, pugi::xml_node tag) {
      if (kind != "Tag") return;
      std::optional<std::string> key, value;
      for_each_element(tag, [&](std::string_view field, pugi::xml_node child) {
        if (field == "Key") set_once(key, child);
        if (field == "Value") set_once(value, child);
      });
      if (!key || !value) throw Malformed();
      tags.emplace_back(std::move(*key), std::move(*value));
    });
  });
  if (!has_set) throw Malformed();
  return tags;
}

}  // namespace

std::expected<DeleteRequest, S3Error> parse_delete(std::string_view body) try {
  const Document document(body, kXmlBytesMax, "Delete");
  DeleteRequest request;
  for_each_element(document.root(), [&](std::string_view name, pugi::xml_node child) {
    if (name == "Quiet") request.quiet = equal_ignoring_case(trim(text_of(child)), "true");
    if (name != "Object") return;
    if (request.objects.size() == kDeleteObjectsMax) throw Malformed();
    request.objects.push_back(read_object(child));
  });
  if (request.objects.empty()) throw Malformed();
  return request;
} catch (const Malformed&) {
  return std::unexpected(malformed_xml());
}

std::expected<std::vector<CompletedPart>, S3Error> parse_complete_upload(
    std::string_view body) try {
  const Document document(body, kCompleteXmlBytesMax, "CompleteMultipartUpload");
  std::vector<CompletedPart> parts;
  std::optional<S3Error> wrong;
  for_each_element(document.root(), [&](std::string_view name, pugi::xml_node child) {
    if (name != "Part" || wrong) return;
    if (parts.size() == kPartNumberMax) throw Malformed();
    auto part = read_part(child);
    if (!part) {
      wrong = std::move(part.error());
    } else if (!parts.empty() && part->number <= parts.back().number) {
      wrong = S3Error{.code = S3ErrorCode::invalid_part_order};
    } else {
      parts.push_back(std::move(*part));
    }
  });
  if (wrong) return std::unexpected(std::move(*wrong));
  if (parts.empty()) throw Malformed();
  return parts;
} catch (const Malformed&) {
  return std::unexpected(malformed_xml());
}

std::expected<std::string, S3Error> parse_create_bucket(std::string_view body) try {
  if (body.empty()) return std::string();
  const Document document(body, kXmlBytesMax, "CreateBucketConfiguration");
  std::optional<std::string> location;
  for_each_element(document.root(), [&](std::string_view name, pugi::xml_node child) {
    if (name == "LocationConstraint") set_once(location, child);
  });
  return std::string(trim(location.value_or("")));
} catch (const Malformed&) {
  return std::unexpected(malformed_xml());
}

std::expected<Tags, S3Error> parse_tagging(std::string_view body) try {
  const Document document(body, kXmlBytesMax, "Tagging");
  return checked(read_tags(document.root()));
} catch (const Malformed&) {
  return std::unexpected(malformed_xml());
}

std::expected<Tags, S3Error> parse_tagging_header(std::string_view value) {
  Tags tags;
  for (QueryItem& item : split_query(trim(value), QueryPlus::space)) {
    tags.emplace_back(std::move(item.name), std::move(item.value));
    if (tags.size() > kTagsMax) break;
  }
  return checked(std::move(tags));
}

std::string normalize_etag(std::string_view text) {
  text = trim(text);
  if (text.starts_with("W/")) text.remove_prefix(2);
  if (text.size() >= 2 && text.starts_with('"') && text.ends_with('"')) {
    text = text.substr(1, text.size() - 2);
  }
  return to_lower(text);
}

}  // namespace tarn::aws
