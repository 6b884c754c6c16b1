#include "block/s3/testing/fake_service.h"

#include <algorithm>
#include <charconv>

#include "aws/request_xml.h"
#include "aws/xml_writer.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/format.h"
#include "base/hash.h"
#include "base/time.h"
#include "block/mem/mem_object_store.h"
#include "http/message.h"

namespace tarn::block::testing {

namespace {

constexpr std::uint64_t kObjectBytesMax = 64 << 20;

ServiceAnswer refuse(std::uint16_t status, std::string_view code) {
  aws::XmlWriter xml("Error", "");
  xml.element("Code", code);
  return {.status = status, .headers = {{"Content-Type", "application/xml"}}, .body = xml.finish()};
}

ServiceAnswer document(aws::XmlWriter xml) {
  return {.headers = {{"Content-Type", "application/xml"}}, .body = xml.finish()};
}

std::uint64_t number_of(std::string_view text, std::uint64_t otherwise) {
  std::uint64_t number = otherwise;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

/// "bytes=3-5", "bytes=3-".
std::optional<ByteRange> range_of(std::string_view text) {
  if (!text.starts_with("bytes=")) return std::nullopt;
  text.remove_prefix(6);
  const auto dash = std::min(text.find('-'), text.size() - 1);
  return ByteRange{number_of(text.substr(0, dash), 0),
                   number_of(text.substr(dash + 1), UINT64_MAX)};
}

/// The code for a body that is not the one its head tells of.
std::optional<std::string_view> damage_of(const ServiceRequest& request, std::string_view md5) {
  const auto wanted = request.header("content-md5");
  if (wanted && *wanted != to_base64(md5)) return "BadDigest";
  const auto hash = request.header("x-amz-content-sha256");
  if (!hash || *hash == "UNSIGNED-PAYLOAD" || *hash == to_hex(tarn::sha256(request.body)))
    return std::nullopt;
  return "XAmzContentSHA256Mismatch";
}

std::string quoted(const std::string& etag) {
  return "\"" + etag + "\"";
}

/// What stands between `open` and the next '<'.
std::string_view text_after(std::string_view xml, std::string_view open, std::size_t& at) {
  const auto begin = xml.find(open, at);
  if (begin == std::string_view::npos) return {};
  at = begin + open.size();
  return xml.substr(at, xml.find('<', at) - at);
}

std::vector<Part> parts_of(std::string_view xml) {
  std::vector<Part> parts;
  for (std::size_t at = 0; (at = xml.find("<Part>", at)) != std::string_view::npos;) {
    Part part{
        .number = static_cast<std::uint32_t>(number_of(text_after(xml, "<PartNumber>", at), 0)),
        .etag = std::string(text_after(xml, "<ETag>", at))};
    for (std::size_t mark = 0; (mark = part.etag.find("&quot;")) != std::string::npos;)
      part.etag.replace(mark, 6, "\"");
    parts.push_back(std::move(part));
  }
  return parts;
}

}  // namespace

struct FakeService::Call {
  ServiceRequest request;
  std::shared_ptr<MemObjectStore> store;
  std::string bucket;
  std::string key;
  std::vector<http::QueryParam> query;

  bool has(std::string_view name) const {
    return std::ranges::find(query, name, &http::QueryParam::name) != query.end();
  }

  std::string value(std::string_view name) const {
    const auto found = std::ranges::find(query, name, &http::QueryParam::name);
    return found != query.end() ? found->value : std::string();
  }

  std::string space() const { return "mem://" + bucket; }

  ObjectRef ref() const { return {space(), key, AddressType::relative}; }
};

FakeService::FakeService() : store_(std::make_shared<MemObjectStore>()) {}

FakeService::~FakeService() = default;

void FakeService::clear() {
  const std::scoped_lock lock(mutex_);
  store_ = std::make_shared<MemObjectStore>();
  buckets_.clear();
  uploads_.clear();
}

std::shared_ptr<MemObjectStore> FakeService::store() const {
  const std::scoped_lock lock(mutex_);
  return store_;
}

Task<ServiceAnswer> FakeService::serve(Context& ctx, ServiceRequest request) {
  std::string_view target = request.target;
  const auto mark = std::min(target.find('?'), target.size());
  const std::string_view path = target.substr(1, mark - 1);
  const auto slash = std::min(path.find('/'), path.size());
  Call call{.request = {},
            .store = store(),
            .bucket = std::string(path.substr(0, slash)),
            .key = slash < path.size() ? percent_decode(path.substr(slash + 1)).value_or("") : "",
            .query = http::parse_query(mark < target.size() ? target.substr(mark + 1)
                                                            : std::string_view())};
  call.request = std::move(request);
  try {
    if (call.key.empty()) co_return co_await serve_bucket(ctx, std::move(call));
    {
      const std::scoped_lock lock(mutex_);
      if (!buckets_.contains(call.bucket)) co_return refuse(404, "NoSuchBucket");
    }
    if (call.has("uploads") || call.has("uploadId"))
      co_return co_await serve_upload(ctx, std::move(call));
    co_return co_await serve_object(ctx, std::move(call));
  } catch (const Error& error) {
    switch (error.code()) {
      case ErrorCode::upload_not_found: co_return refuse(404, "NoSuchUpload");
      case ErrorCode::data_missing: co_return refuse(404, "NoSuchKey");
      case ErrorCode::invalid_argument: co_return refuse(400, "InvalidPart");
      default: throw;
    }
  }
}

Task<ServiceAnswer> FakeService::serve_bucket(Context& ctx, Call call) {
  const bool lists = call.has("list-type");
  {
    const std::scoped_lock lock(mutex_);
    if (call.request.method == "PUT") {
      buckets_.insert(call.bucket);
      co_return ServiceAnswer{};
    }
    if (!buckets_.contains(call.bucket)) co_return refuse(404, "NoSuchBucket");
    if (call.has("uploads")) co_return list_uploads(call);
  }
  if (lists) co_return co_await list(ctx, std::move(call));
  if (call.has("delete")) co_return co_await remove_many(ctx, std::move(call));
  co_return ServiceAnswer{.headers = {{"x-amz-bucket-region", "us-east-1"}}};
}

Task<ServiceAnswer> FakeService::remove_many(Context& ctx, Call call) {
  const auto wanted = aws::parse_delete(call.request.body);
  if (!wanted || call.request.header("content-md5") != to_base64(tarn::md5(call.request.body)))
    co_return refuse(400, "MalformedXML");
  for (const aws::ObjectToDelete& object : wanted->objects)
    co_await call.store->remove(ctx, {call.space(), object.key, AddressType::relative});
  co_return document(aws::XmlWriter("DeleteResult"));
}

/// Under the mutex.
ServiceAnswer FakeService::list_uploads(const Call& call) const {
  aws::XmlWriter xml("ListMultipartUploadsResult");
  for (const auto& [id, place] : uploads_) {
    if (!place.starts_with(call.bucket + "/")) continue;
    xml.open("Upload");
    xml.key("Key", std::string_view(place).substr(call.bucket.size() + 1), aws::KeyEncoding::url);
    xml.element("UploadId", id);
    xml.close();
  }
  return document(std::move(xml));
}

Task<ServiceAnswer> FakeService::list(Context& ctx, Call call) {
  const std::string after =
      call.has("continuation-token") ? call.value("continuation-token") : call.value("start-after");
  const auto page = co_await call.store->list(ctx, call.space(), call.value("prefix"), after,
                                              number_of(call.value("max-keys"), 1'000));
  aws::XmlWriter xml("ListBucketResult");
  xml.element("EncodingType", "url");
  xml.element("IsTruncated", page.more);
  if (page.more) xml.element("NextContinuationToken", page.objects.back().address);
  for (const ListedObject& object : page.objects) {
    xml.open("Contents");
    xml.key("Key", object.address, aws::KeyEncoding::url);
    xml.element("LastModified", to_s3_time(object.last_modified));
    xml.etag("ETag", object.etag);
    xml.element("Size", object.size);
    xml.close();
  }
  co_return document(std::move(xml));
}

Task<ServiceAnswer> FakeService::serve_object(Context& ctx, Call call) {
  const std::string& method = call.request.method;
  if (method == "PUT" && call.request.header("x-amz-copy-source"))
    co_return co_await copy(ctx, std::move(call));
  if (method == "PUT") co_return co_await put(ctx, std::move(call));
  if (method == "DELETE") {
    co_await call.store->remove(ctx, call.ref());
    co_return ServiceAnswer{.status = 204};
  }
  if (method == "GET" || method == "HEAD") co_return co_await read(ctx, std::move(call));
  co_return refuse(405, "MethodNotAllowed");
}

Task<ServiceAnswer> FakeService::read(Context& ctx, Call call) {
  const auto info = co_await call.store->head(ctx, call.ref());
  if (!info) co_return refuse(404, "NoSuchKey");
  if (const auto match = call.request.header("if-match"); match && *match != quoted(info->etag))
    co_return refuse(412, "PreconditionFailed");
  ServiceAnswer answer{.headers = {{"ETag", quoted(info->etag)},
                                   {"Last-Modified", to_http_date(info->last_modified)}},
                       .head_length = info->size};
  if (call.request.method == "HEAD") co_return answer;
  const auto range = range_of(call.request.header("range").value_or(""));
  if (range && range->first >= info->size) co_return refuse(416, "InvalidRange");
  const auto source = co_await call.store->get(ctx, call.ref(), range);
  answer.body = co_await io::read_all(ctx, *source, kObjectBytesMax);
  if (range) {
    answer.status = 206;
    answer.headers.emplace_back(
        "Content-Range",
        format("bytes {}-{}/{}", range->first, range->first + answer.body.size() - 1, info->size));
  }
  co_return answer;
}

Task<ServiceAnswer> FakeService::put(Context& ctx, Call call) {
  const std::string md5 = tarn::md5(call.request.body);
  if (const auto damage = damage_of(call.request, md5)) co_return refuse(400, *damage);
  io::StringSource body(std::move(call.request.body));
  co_await call.store->put(ctx, call.ref(), body, {});
  co_return ServiceAnswer{.headers = {{"ETag", quoted(to_hex(md5))}}};
}

/// A whole object, or with an uploadId a part of one.
Task<ServiceAnswer> FakeService::copy(Context& ctx, Call call) {
  const std::string source = percent_decode(*call.request.header("x-amz-copy-source")).value_or("");
  const auto slash = source.find('/', 1);
  const ObjectRef from{"mem://" + source.substr(1, slash - 1), source.substr(slash + 1),
                       AddressType::relative};
  const auto info = co_await call.store->head(ctx, from);
  if (!info) co_return refuse(404, "NoSuchKey");
  const auto match = call.request.header("x-amz-copy-source-if-match");
  if (match && *match != quoted(info->etag)) co_return refuse(412, "PreconditionFailed");
  const bool part = call.has("uploadId");
  std::string etag = info->etag;
  if (part) {
    const auto range = range_of(call.request.header("x-amz-copy-source-range").value_or(""));
    const auto body = co_await call.store->get(ctx, from, range);
    etag = co_await call.store->upload_part(
        ctx, call.ref(), call.value("uploadId"),
        static_cast<std::uint32_t>(number_of(call.value("partNumber"), 0)), *body, {});
  } else {
    co_await call.store->copy(ctx, from, call.ref());
  }
  aws::XmlWriter xml(part ? "CopyPartResult" : "CopyObjectResult");
  xml.element("LastModified", to_s3_time(info->last_modified));
  xml.etag("ETag", etag);
  co_return document(std::move(xml));
}

Task<ServiceAnswer> FakeService::serve_upload(Context& ctx, Call call) {
  const std::string& method = call.request.method;
  const std::string id = call.value("uploadId");
  if (method == "POST" && call.has("uploads")) {
    const std::string made = co_await call.store->create_multipart(ctx, call.ref());
    {
      const std::scoped_lock lock(mutex_);
      uploads_.emplace(made, call.bucket + "/" + call.key);
    }
    aws::XmlWriter xml("InitiateMultipartUploadResult");
    xml.element("UploadId", made);
    co_return document(std::move(xml));
  }
  if (method == "PUT" && call.request.header("x-amz-copy-source"))
    co_return co_await copy(ctx, std::move(call));
  if (method == "PUT") {
    const auto number = static_cast<std::uint32_t>(number_of(call.value("partNumber"), 0));
    co_return co_await put_part(ctx, std::move(call), number, id);
  }
  if (method == "POST") co_return co_await complete(ctx, std::move(call), id);
  if (method == "GET") co_return co_await list_parts(ctx, std::move(call), id);
  if (method != "DELETE") co_return refuse(405, "MethodNotAllowed");
  co_await call.store->abort_multipart(ctx, call.ref(), id);
  const std::scoped_lock lock(mutex_);
  const auto found = uploads_.find(id);
  if (found == uploads_.end() || found->second != call.bucket + "/" + call.key)
    co_return refuse(404, "NoSuchUpload");
  uploads_.erase(found);
  co_return ServiceAnswer{.status = 204};
}

Task<ServiceAnswer> FakeService::put_part(Context& ctx, Call call, std::uint32_t number,
                                          std::string id) {
  const std::string md5 = tarn::md5(call.request.body);
  if (const auto damage = damage_of(call.request, md5)) co_return refuse(400, *damage);
  io::StringSource body(std::move(call.request.body));
  const std::string etag = co_await call.store->upload_part(ctx, call.ref(), id, number, body, {});
  co_return ServiceAnswer{.headers = {{"ETag", quoted(etag)}}};
}

Task<ServiceAnswer> FakeService::complete(Context& ctx, Call call, std::string id) {
  const auto info =
      co_await call.store->complete_multipart(ctx, call.ref(), id, parts_of(call.request.body));
  {
    const std::scoped_lock lock(mutex_);
    uploads_.erase(id);
  }
  aws::XmlWriter xml("CompleteMultipartUploadResult");
  xml.etag("ETag", info.etag);
  co_return document(std::move(xml));
}

Task<ServiceAnswer> FakeService::list_parts(Context& ctx, Call call, std::string id) {
  const auto parts = co_await call.store->list_parts(
      ctx, call.ref(), id,
      static_cast<std::uint32_t>(number_of(call.value("part-number-marker"), 0)),
      number_of(call.value("max-parts"), 1'000));
  aws::XmlWriter xml("ListPartsResult");
  for (const PartInfo& part : parts) {
    xml.open("Part");
    xml.element("PartNumber", part.number);
    xml.element("LastModified", to_s3_time(part.last_modified));
    xml.etag("ETag", part.etag);
    xml.element("Size", part.size);
    xml.close();
  }
  co_return document(std::move(xml));
}

}  // namespace tarn::block::testing
