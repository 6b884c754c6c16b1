// ListMultipartUploads (A9.7).
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "catalog/listing.h"
#include "s3gw/call.h"
#include "s3gw/handlers.h"
#include "s3gw/object_headers.h"

namespace tarn::s3gw {

namespace {

constexpr std::uint32_t kUploadsMax = 1'000;

struct Item {
  std::string key;  // or a common prefix
  std::optional<catalog::MultipartUpload> upload;
};

struct Query {
  std::string prefix, delimiter, key_marker, id_marker;
  std::size_t amount = kUploadsMax;
};

/// Uploads in order, rolled up by the delimiter; one more than asked for tells of more.
Task<std::vector<Item>> read_items(Context& ctx, Call& call, const Query& query) {
  std::vector<Item> items;
  std::string after_key = query.key_marker;
  // A marker without an id stands behind all uploads of that key.
  std::string after_id = query.id_marker.empty() && !after_key.empty() ? "\xff" : query.id_marker;
  std::string folded;
  for (bool more = true; more && items.size() <= query.amount;) {
    auto page = co_await call.services.catalog.list_uploads(ctx, *call.repository, query.prefix,
                                                            after_key, after_id, kUploadsMax);
    more = page.has_more;
    for (auto& upload : page.uploads) {
      std::string key = upload.branch + '/' + upload.path;
      after_key = key;
      after_id = upload.id;
      if (!folded.empty() && key.starts_with(folded)) continue;
      if (const auto prefix = catalog::folded_prefix(key, query.prefix, query.delimiter)) {
        folded = *prefix;
        if (folded != query.key_marker) items.push_back({.key = folded, .upload = {}});
      } else {
        items.push_back({.key = std::move(key), .upload = std::move(upload)});
      }
      if (items.size() > query.amount) break;
    }
  }
  co_return items;
}

void write_upload(aws::XmlWriter& xml, const Call& call, const Item& item,
                  aws::KeyEncoding encoding) {
  xml.open("Upload");
  xml.key("Key", item.key, encoding);
  xml.element("UploadId", item.upload->id);
  write_owner(xml, "Initiator", call);
  write_owner(xml, "Owner", call);
  xml.element("StorageClass", storage_class_of(item.upload->metadata));
  xml.element("Initiated", to_s3_time(item.upload->creation_date));
  if (!item.upload->checksum_algorithm.empty()) {
    xml.element("ChecksumAlgorithm", item.upload->checksum_algorithm);
    xml.element("ChecksumType", item.upload->checksum_type);
  }
  xml.close();
}

}  // namespace

Task<> list_uploads(Context& ctx, Call& call) {
  const Query query{.prefix = std::string(call.text("prefix")),
                    .delimiter = std::string(call.text("delimiter")),
                    .key_marker = std::string(call.text("key-marker")),
                    .id_marker = std::string(call.text("upload-id-marker")),
                    .amount = read_count(call, "max-uploads", kUploadsMax, kUploadsMax)};
  const aws::KeyEncoding encoding = read_encoding(call);
  std::vector<Item> items;
  if (query.amount > 0) items = co_await read_items(ctx, call, query);
  const bool has_more = items.size() > query.amount;
  if (has_more) items.pop_back();
  aws::XmlWriter xml("ListMultipartUploadsResult");
  xml.element("Bucket", call.target.bucket);
  xml.key("KeyMarker", query.key_marker, encoding);
  xml.element("UploadIdMarker", query.id_marker);
  if (has_more) {
    xml.key("NextKeyMarker", items.back().key, encoding);
    xml.element("NextUploadIdMarker",
                items.back().upload ? std::string_view(items.back().upload->id) : "");
  }
  xml.key("Prefix", query.prefix, encoding);
  if (!query.delimiter.empty()) xml.key("Delimiter", query.delimiter, encoding);
  if (encoding == aws::KeyEncoding::url) xml.element("EncodingType", "url");
  xml.element("MaxUploads", query.amount);
  xml.element("IsTruncated", has_more);
  for (const Item& item : items) {
    if (item.upload) write_upload(xml, call, item, encoding);
  }
  for (const Item& item : items) {
    if (item.upload) continue;
    xml.open("CommonPrefixes");
    xml.key("Prefix", item.key, encoding);
    xml.close();
  }
  co_await send_xml(ctx, call, xml);
}

}  // namespace tarn::s3gw
