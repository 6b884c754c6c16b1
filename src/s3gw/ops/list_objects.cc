// ListObjects, V1 and V2 (A6), and ListObjectVersions, where every object is its only version.
#include <optional>
#include <string>
#include <utility>

#include "base/log.h"
#include "s3gw/call.h"
#include "s3gw/continuation_token.h"
#include "s3gw/error_response.h"
#include "s3gw/handlers.h"
#include "s3gw/object_headers.h"
#include "s3gw/object_page.h"

namespace tarn::s3gw {

namespace {

using aws::KeyEncoding;

constexpr std::uint32_t kKeysMax = 1'000;

/// XML 1.0 has no way to write these; parsers refuse the whole page for one of them (F25).
bool is_writable(const Call& call, std::string_view key, KeyEncoding encoding) {
  if (encoding == KeyEncoding::url) return true;
  for (const char c : key) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 && c != '\t' && c != '\n' && c != '\r') {
      log::debug("key with control characters left out of a listing without encoding-type",
                 {{"repository", call.target.bucket}});
      return false;
    }
  }
  return true;
}

void leave_out_unwritable(const Call& call, ObjectPage& page, KeyEncoding encoding) {
  std::erase_if(page.items,
                [&](const PageItem& item) { return !is_writable(call, item.key, encoding); });
}

void write_entry(aws::XmlWriter& xml, const PageItem& item, KeyEncoding encoding) {
  xml.key("Key", item.key, encoding);
  xml.element("LastModified", to_s3_time(item.entry.last_modified));
  xml.etag("ETag", item.entry.etag);
  xml.element("Size", item.entry.size);
  xml.element("StorageClass", storage_class_of(item.entry.metadata));
}

void write_prefixes(aws::XmlWriter& xml, const ObjectPage& page, KeyEncoding encoding) {
  for (const PageItem& item : page.items) {
    if (!item.is_prefix) continue;
    xml.open("CommonPrefixes");
    xml.key("Prefix", item.key, encoding);
    xml.close();
  }
}

struct Listing {
  PageQuery query;
  KeyEncoding encoding = KeyEncoding::plain;
  ObjectPage page;
  std::optional<PageItem> last;  // of the page as read
};

Task<Listing> read_listing(Context& ctx, Call& call, std::string after) {
  Listing listing{.query = {.prefix = std::string(call.text("prefix")),
                            .delimiter = std::string(call.text("delimiter")),
                            .after = std::move(after),
                            .amount = read_count(call, "max-keys", kKeysMax, kKeysMax)},
                  .encoding = read_encoding(call)};
  if (listing.query.amount > 0) {
    listing.page = co_await list_page(ctx, call.services.catalog, *call.repository, listing.query);
  }
  if (!listing.page.items.empty()) listing.last = listing.page.items.back();
  leave_out_unwritable(call, listing.page, listing.encoding);
  co_return listing;
}

void write_common(aws::XmlWriter& xml, const Call& call, const Listing& listing,
                  KeyEncoding prefix_encoding, bool counts) {
  xml.element("Name", call.target.bucket);
  xml.element("IsTruncated", listing.page.has_more);
  xml.key("Prefix", listing.query.prefix, prefix_encoding);
  if (call.parameter("delimiter") != nullptr && !listing.query.delimiter.empty()) {
    xml.key("Delimiter", listing.query.delimiter, listing.encoding);
  }
  if (counts) xml.element("KeyCount", listing.page.items.size());
  xml.element("MaxKeys", listing.query.amount);
  if (listing.encoding == KeyEncoding::url) xml.element("EncodingType", "url");
  write_prefixes(xml, listing.page, listing.encoding);
}

void write_contents(aws::XmlWriter& xml, const Call& call, const Listing& listing, bool owners) {
  for (const PageItem& item : listing.page.items) {
    if (item.is_prefix) continue;
    xml.open("Contents");
    write_entry(xml, item, listing.encoding);
    if (owners) write_owner(xml, "Owner", call);
    xml.close();
  }
}

Task<> list_v1(Context& ctx, Call& call) {
  const Listing listing = co_await read_listing(ctx, call, std::string(call.text("marker")));
  aws::XmlWriter xml("ListBucketResult");
  write_common(xml, call, listing, KeyEncoding::plain, false);
  xml.key("Marker", listing.query.after, listing.encoding);
  if (listing.page.has_more && listing.last && !listing.query.delimiter.empty()) {
    xml.key("NextMarker", listing.last->key, listing.encoding);
  }
  write_contents(xml, call, listing, true);
  co_await send_xml(ctx, call, xml);
}

Task<> list_v2(Context& ctx, Call& call) {
  std::string after(call.text("start-after"));
  const std::string_view token = call.text("continuation-token");
  if (!token.empty()) {
    auto position = parse_token(token);
    if (!position) {
      refuse_argument("continuation-token", token, "The continuation token is not valid.");
    }
    after = *std::move(position);
  }
  const Listing listing = co_await read_listing(ctx, call, std::move(after));
  aws::XmlWriter xml("ListBucketResult");
  write_common(xml, call, listing, listing.encoding, true);
  if (const auto* sent = call.parameter("continuation-token")) {
    xml.element("ContinuationToken", sent->value);
  }
  if (listing.page.has_more && listing.last) {
    xml.element("NextContinuationToken", make_token(listing.last->key, listing.last->is_prefix));
  }
  if (const auto* start = call.parameter("start-after")) {
    xml.key("StartAfter", start->value, listing.encoding);
  }
  write_contents(xml, call, listing, call.text("fetch-owner") == "true");
  co_await send_xml(ctx, call, xml);
}

}  // namespace

Task<> list_objects(Context& ctx, Call& call) {
  const std::string_view type = call.text("list-type");
  if (type == "2") return list_v2(ctx, call);
  if (!type.empty() && type != "1") refuse_argument("list-type", type, "Expected 1 or 2.");
  return list_v1(ctx, call);
}

Task<> list_object_versions(Context& ctx, Call& call) {
  const Listing listing = co_await read_listing(ctx, call, std::string(call.text("key-marker")));
  aws::XmlWriter xml("ListVersionsResult");
  write_common(xml, call, listing, listing.encoding, false);
  xml.key("KeyMarker", listing.query.after, listing.encoding);
  xml.element("VersionIdMarker", call.text("version-id-marker"));
  if (listing.page.has_more && listing.last) {
    xml.key("NextKeyMarker", listing.last->key, listing.encoding);
    xml.element("NextVersionIdMarker", "null");
  }
  for (const PageItem& item : listing.page.items) {
    if (item.is_prefix) continue;
    xml.open("Version");
    write_entry(xml, item, listing.encoding);
    xml.element("VersionId", "null");
    xml.element("IsLatest", true);
    write_owner(xml, "Owner", call);
    xml.close();
  }
  co_await send_xml(ctx, call, xml);
}

}  // namespace tarn::s3gw
